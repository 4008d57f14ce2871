package mobileconfig

import "strings"

// Texts are the texts that a person reads before installing a profile.
type Texts struct {
	Language string // BCP 47
	// Description helps to decide whether to install the profile: it says whose
	// it is and that it holds no password. {provider} stands for the provider's
	// name.
	Description string
	// The names of the payloads. An Exchange account is named by the address,
	// because its payload has no other key for the name in Settings.
	Mail, Calendars, Contacts string
}

// English holds the default texts.
var English = Texts{
	Language: "en",
	Description: "Sets up your account at {provider} on this device. " +
		"There is no password inside: you sign in on the device.",
	Mail:      "Mail",
	Calendars: "Calendars",
	Contacts:  "Contacts",
}

// description returns the description with the provider's name.
func (t Texts) description(provider string) string {
	return strings.ReplaceAll(t.Description, "{provider}", provider)
}
