package main

import (
	"signpost/internal/config"
	"signpost/internal/setup"
	"signpost/templates"
)

// loadPage returns the branding of the set-up page and its templates, nil for the
// embedded ones. It finds faults in an operator's templates before the first
// person opens the page.
func loadPage(b config.Branding) (setup.Branding, *templates.Set, error) {
	branding := setup.Branding{
		Name:        b.Name,
		Logo:        setup.Logo{Data: b.Logo, MediaType: b.LogoType},
		Accent:      b.Accent,
		Contact:     b.Contact,
		TemplateDir: b.Templates,
	}
	if b.Templates == "" {
		return branding, nil, nil
	}
	set, err := setup.LoadTemplates(b.Templates)
	if err != nil {
		return branding, nil, &hintError{err, "branding.templates in the configuration names their folder"}
	}
	return branding, set, nil
}
