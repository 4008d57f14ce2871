package mobileconfig

import (
	"cmp"
	"errors"

	"howett.net/plist"

	"signpost/account"
)

// MediaType is the type by which Safari, and Chrome on iOS, recognise a profile,
// signed or not. It has no charset, because a signed profile is not text.
const MediaType = "application/x-apple-aspen-config"

// ErrNoAddress reports that the settings are not for a single mailbox. The identity
// of a profile depends on its mailbox.
var ErrNoAddress = errors.New("a profile needs a mail address")

// Device is what a profile is to be installed on.
type Device string

const (
	// AnyDevice leaves the device open. The profile fits iPhone and iPad, and a
	// Mac too unless the provider's way to the mail is ActiveSync.
	AnyDevice Device = ""
	// Phone is an iPhone or iPad. Unlike AnyDevice, it does not make an owner of
	// an Apple Watch choose which of the two is meant.
	Phone Device = "iphone"
	Mac   Device = "mac"
)

// Options are what a profile depends on besides the settings.
type Options struct {
	// Service is the service's own host name. Profiles are identified by it, so
	// installed ones are not replaced after it changes. If it is empty, the
	// domain of the address stands in.
	Service string
	// Name is the person's name, for From. It may be untrusted input.
	Name   string
	Device Device
	// MailOnly leaves out calendars and contacts. The Exchange account of a Mac
	// has no such switch.
	MailOnly bool
	Texts    Texts // English if zero
}

// Document returns the profile for a mailbox, unsigned. The error is ErrNoAddress
// or a *NoProfileError.
//
// A person asks for a profile about once, so it is written each time. That costs a
// tenth of what signing it costs.
func Document(s account.Settings, o Options) ([]byte, error) {
	if s.Address.IsZero() || s.Address.IsAny() {
		return nil, ErrNoAddress
	}
	chosen, err := selectServers(s.Expanded(), o.Device, o.MailOnly)
	if err != nil {
		return nil, err
	}
	if o.Texts == (Texts{}) {
		o.Texts = English
	}
	o.Name = CleanName(o.Name)
	b := builder{
		Options:  o,
		address:  s.Address.String(),
		identity: newIdentity(cmp.Or(o.Service, s.Address.Domain()), s.Address.Key()),
	}
	if s.Provider != nil {
		b.provider = s.Provider.DisplayName
	}
	document, err := plist.MarshalIndent(b.profile(chosen), plist.XMLFormat, "\t")
	if err != nil {
		return nil, err
	}
	return append(document, '\n'), nil
}

// dict is a property list dictionary.
type dict map[string]any

// set adds a text unless it is empty: devices fail on empty strings
// (mailcow-dockerized#2296).
func (d dict) set(key, value string) {
	if value != "" {
		d[key] = value
	}
}

// builder builds the profile of a mailbox.
type builder struct {
	Options
	address  string
	identity identity
	provider string // DisplayName
}

// profile returns the profile around the payloads. PayloadVersion is the version of
// the format, not of the content, and always 1. Left out on purpose: ConsentText
// (one more dialog), everything that forbids removal (needs a supervised device)
// and expiry.
func (b builder) profile(chosen selection) dict {
	profile := dict{
		"PayloadType":        "Configuration",
		"PayloadVersion":     1,
		"PayloadIdentifier":  b.identity.identifier,
		"PayloadUUID":        b.identity.uuid(kindProfile),
		"PayloadDisplayName": b.address,
		"PayloadContent":     b.payloads(chosen),
	}
	if b.provider != "" {
		profile["PayloadDisplayName"] = b.provider + ": " + b.address
		profile["PayloadOrganization"] = b.provider
		profile.set("PayloadDescription", b.Texts.description(b.provider))
	}
	target := b.target(chosen)
	if target != targetAny {
		profile["TargetDeviceType"] = target
	}
	if target != targetPhone {
		// Account payloads belong to a user of a Mac. iOS does not know this key
		// and ignores it.
		profile["PayloadScope"] = "User"
	}
	return profile
}

// Values of TargetDeviceType.
const (
	targetAny   = 0
	targetPhone = 1 // iPhone, iPad, iPod touch
	targetMac   = 5
)

// target returns the TargetDeviceType for the accounts.
func (b builder) target(chosen selection) int {
	switch {
	case b.Device == Phone:
		return targetPhone
	case chosen.exchange == nil:
		return targetAny
	case chosen.exchange.Type == account.EWS:
		return targetMac
	}
	return targetPhone
}
