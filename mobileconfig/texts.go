package mobileconfig

import "strings"

// Texts are the words of a profile that a person reads before tapping Install.
type Texts struct {
	Language string // BCP 47
	// Description should help to decide whether to install the profile: whose
	// it is, and that it holds no password. {provider} stands for the
	// provider's name.
	Description string
	// The names of the payloads. An Exchange account has none here: its
	// payload has no other place for the account's name in Settings, so it is
	// called by the address.
	Mail, Calendars, Contacts string
}

// English is what a profile says where nothing else is asked for.
var English = Texts{
	Language: "en",
	Description: "Sets up your account at {provider} on this device. " +
		"There is no password inside: you sign in on the device.",
	Mail:      "Mail",
	Calendars: "Calendars",
	Contacts:  "Contacts",
}

func (t Texts) description(provider string) string {
	return strings.ReplaceAll(t.Description, "{provider}", provider)
}
