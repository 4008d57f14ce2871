package main

import (
	"signpost/internal/config"
	"signpost/internal/server"
	"signpost/internal/setup"
)

// newPage makes the set-up page the operator's own. What is wrong with a folder
// of templates is found here, and not by the first person who opens the page.
func newPage(b config.Branding) (server.Page, error) {
	page := server.Page{Branding: setup.Branding{
		Name:    b.Name,
		Logo:    setup.Logo{Data: b.Logo, MediaType: b.LogoType},
		Accent:  b.Accent,
		Contact: b.Contact,
	}}
	if b.Templates == "" {
		return page, nil
	}
	var err error
	if page.Templates, err = setup.LoadTemplates(b.Templates); err != nil {
		return page, &hintError{err, "branding.templates in the configuration names their folder"}
	}
	return page, nil
}
