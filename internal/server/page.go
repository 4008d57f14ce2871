package server

import (
	"signpost/account"
	"signpost/internal/setup"
	"signpost/mobileconfig"
	"signpost/templates"
)

// Page is what the operator decides of the set-up page; the zero value is the
// page as it comes.
type Page struct {
	Templates *templates.Set
	Branding  setup.Branding
}

// page is what the set-up page knows of the rest of the service.
func (o Options) page() setup.Options {
	return setup.Options{
		Name:      o.Name,
		Templates: o.Page.Templates,
		Branding:  o.Page.Branding,
		Profile: func(s account.Settings, device string) setup.Profile {
			return setup.Profile(mobileconfig.ContentsOf(s, mobileconfig.Device(device)))
		},
		Signed: o.Signer.Signs,
		Log:    o.Log,
	}
}

// profileTexts are the words of profiles in the page's languages.
func (o Options) profileTexts() []mobileconfig.Texts {
	set := o.Page.Templates
	if set == nil {
		set = templates.Embedded()
	}
	var texts []mobileconfig.Texts
	for _, lang := range set.Languages {
		t := mobileconfig.Texts{Language: lang.Tag}
		t.Description, t.Mail, t.Calendars, t.Contacts = setup.ProfileTexts(lang)
		texts = append(texts, t)
	}
	return texts
}
