package setup

import (
	"signpost/mobileconfig"
	"signpost/templates"
)

// ProfileTexts returns a function that picks the texts of an Apple profile in the
// language of the set that fits best, as mobileconfig.HandlerOptions wants it. The
// embedded set serves if set is nil.
func ProfileTexts(set *templates.Set) func(preferences ...string) mobileconfig.Texts {
	if set == nil {
		set = templates.Embedded()
	}
	return func(preferences ...string) mobileconfig.Texts {
		lang := set.Match(preferences...)
		return mobileconfig.Texts{
			Language:    lang.Tag,
			Description: lang.Text("profile.description", "provider", "{provider}"),
			Mail:        lang.Text("profile.mail"),
			Calendars:   lang.Text("profile.calendars"),
			Contacts:    lang.Text("profile.contacts"),
		}
	}
}
