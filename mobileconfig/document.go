package mobileconfig

import (
	"cmp"
	"errors"

	"howett.net/plist"

	"signpost/account"
)

// MediaType is what Safari, and Chrome on iOS, know a profile by, signed or not.
// There is no charset: signed, a profile is not text.
const MediaType = "application/x-apple-aspen-config"

// ErrNoAddress: a profile is made for one mailbox, as its identity depends on it.
var ErrNoAddress = errors.New("a profile needs a mail address")

// Device is what a profile is to be installed on.
type Device string

const (
	// AnyDevice leaves it open. The profile fits iPhone and iPad, and a Mac
	// too unless the provider's way to the mail is ActiveSync.
	AnyDevice Device = ""
	// Phone is an iPhone or iPad. It differs from AnyDevice in that the owner
	// of an Apple Watch is not asked which of the two is meant.
	Phone Device = "iphone"
	Mac   Device = "mac"
)

// Options are what a profile depends on besides the settings.
type Options struct {
	// Service is the service's own host name. It is part of the identity of
	// profiles, which therefore changes with it; the address's domain stands
	// in where it is empty.
	Service string
	// Name is the person's, for From. It may come from a stranger.
	Name   string
	Device Device
	// MailOnly leaves out calendars and contacts. (On a Mac, Exchange has no
	// such switch.)
	MailOnly bool
	Texts    Texts // English if zero
}

// Document is the profile for a mailbox, unsigned. An error is ErrNoAddress or a
// *NoProfileError.
func Document(s account.Settings, o Options) ([]byte, error) {
	if s.Address.IsZero() || s.Address.IsAny() {
		return nil, ErrNoAddress
	}
	b := newBuilder(s.Provider, o)
	b.address = s.Address.String()
	b.name = CleanName(o.Name)
	b.id = service(cmp.Or(o.Service, s.Address.Domain())).of(s.Address.Key())
	return b.build(s.Expanded(), o.MailOnly)
}

// dict is a property list dictionary.
type dict map[string]any

// set adds a text unless it is empty: devices choke on empty strings
// (mailcow-dockerized#2296).
func (d dict) set(key, value string) {
	if value != "" {
		d[key] = value
	}
}

// builder holds what the payloads of one profile have in common.
type builder struct {
	address     string
	name        string
	provider    string // DisplayName
	description string
	id          identity
	device      Device
	texts       Texts
}

func newBuilder(p *account.Provider, o Options) builder {
	b := builder{device: o.Device, texts: o.Texts}
	if b.texts == (Texts{}) {
		b.texts = English
	}
	if p != nil && p.DisplayName != "" {
		b.provider = p.DisplayName
		b.description = b.texts.description(p.DisplayName)
	}
	return b
}

// build makes the profile around the payloads. PayloadVersion is the version of
// the format, which is 1, not of the content. Left out on purpose: ConsentText
// (one more dialog), anything that forbids removal (needs a supervised device)
// and expiry.
func (b builder) build(servers []account.Server, mailOnly bool) ([]byte, error) {
	chosen, err := choose(servers, b.device, mailOnly)
	if err != nil {
		return nil, err
	}
	profile := b.payload(whole, "Configuration")
	profile["PayloadContent"] = b.payloads(chosen, mailOnly)
	profile.set("PayloadOrganization", b.provider)
	profile.set("PayloadDescription", b.description)
	profile["PayloadDisplayName"] = b.address
	if b.provider != "" {
		profile["PayloadDisplayName"] = b.provider + ": " + b.address
	}
	switch target := b.target(chosen); target {
	case targetPhone:
		profile["TargetDeviceType"] = target
	case targetMac:
		profile["TargetDeviceType"] = target
		profile["PayloadScope"] = "User"
	default:
		// Account payloads belong to a user of a Mac; iOS has no such key and
		// looks at none that it does not know.
		profile["PayloadScope"] = "User"
	}
	document, err := plist.MarshalIndent(profile, plist.XMLFormat, "\t")
	if err != nil {
		return nil, err
	}
	return append(document, '\n'), nil
}

// Values of TargetDeviceType.
const (
	targetAny   = 0
	targetPhone = 1 // iPhone, iPad, iPod touch
	targetMac   = 5
)

func (b builder) target(chosen accounts) int {
	switch {
	case b.device == Phone:
		return targetPhone
	case chosen.exchange == nil:
		return targetAny
	case chosen.exchange.Type == account.EWS:
		return targetMac
	}
	return targetPhone
}
