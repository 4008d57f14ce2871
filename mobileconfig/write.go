package mobileconfig

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"strings"

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
func Document(s account.Settings, o Options) ([]byte, error) {
	var d account.Documents[variant]
	return writeDocument(&d, s, o)
}

// variant is what the template of a profile depends on besides the provider. There
// are at most 12 variants per language.
type variant struct {
	device   Device
	mailOnly bool
	named    bool
	texts    Texts
}

// Holes of a profile's template. Each begins with a UUID, which no configured text
// contains. An address that contains one spoils only its own profile.
const (
	holePrefix     = "8c1d63de-7f1e-4ad4-9b7e-0e6a1b6c4f52/"
	holeName       = holePrefix + "name"
	holeIdentifier = holePrefix + "identifier" // of the profile
	holeUUID       = holePrefix + "uuid/"      // followed by the kind
)

var holes = func() []string {
	list := []string{holeName, holeIdentifier}
	for _, k := range kinds {
		list = append(list, holeUUID+string(k))
	}
	return list
}()

// writeDocument completes the template of the profile, which d caches.
func writeDocument(d *account.Documents[variant], s account.Settings, o Options) ([]byte, error) {
	if s.Address.IsZero() || s.Address.IsAny() {
		return nil, ErrNoAddress
	}
	if o.Texts == (Texts{}) {
		o.Texts = English
	}
	name := CleanName(o.Name)
	v := variant{o.Device, o.MailOnly, name != "", o.Texts}
	write := func(templated account.Settings) ([]byte, error) {
		return newBuilder(s.Provider, v).build(templated.Servers)
	}
	template, err := d.Template(&s, v, write, holes...)
	if e, ok := errors.AsType[*NoProfileError](err); ok {
		return nil, e.expanded(s.Address)
	}
	if err != nil {
		return nil, err
	}
	id := newIdentity(cmp.Or(o.Service, s.Address.Domain()), s.Address.Key())
	return template.AppendFunc(nil, s.Address, escapeXML, func(hole string) string {
		switch hole {
		case holeName:
			return name
		case holeIdentifier:
			return id.identifier
		}
		return id.uuid(kind(strings.TrimPrefix(hole, holeUUID)))
	}), nil
}

// escapeXML escapes text as the property list encoder does, and appends it to dst.
func escapeXML(dst []byte, text string) []byte {
	buffer := bytes.NewBuffer(dst)
	xml.EscapeText(buffer, []byte(text)) // a bytes.Buffer returns no error
	return buffer.Bytes()
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

// builder builds the template of a profile.
type builder struct {
	variant
	provider    string // DisplayName
	description string
}

func newBuilder(p *account.Provider, v variant) builder {
	b := builder{variant: v}
	for _, text := range []*string{&b.texts.Mail, &b.texts.Calendars, &b.texts.Contacts} {
		*text = account.Verbatim(*text)
	}
	if p != nil && p.DisplayName != "" {
		b.provider = account.Verbatim(p.DisplayName)
		b.description = account.Verbatim(v.texts.description(p.DisplayName))
	}
	return b
}

// build writes the profile around the payloads. PayloadVersion is the version of
// the format, not of the content, and always 1. Left out on purpose: ConsentText
// (one more dialog), everything that forbids removal (needs a supervised device)
// and expiry.
func (b builder) build(servers []account.Server) ([]byte, error) {
	chosen, err := selectServers(servers, b.device, b.mailOnly)
	if err != nil {
		return nil, err
	}
	profile := dict{
		"PayloadType":        "Configuration",
		"PayloadVersion":     1,
		"PayloadIdentifier":  holeIdentifier,
		"PayloadUUID":        holeUUID + string(kindProfile),
		"PayloadDisplayName": account.EmailAddress,
		"PayloadContent":     b.payloads(chosen),
	}
	profile.set("PayloadOrganization", b.provider)
	profile.set("PayloadDescription", b.description)
	if b.provider != "" {
		profile["PayloadDisplayName"] = b.provider + ": " + account.EmailAddress
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

// target returns the TargetDeviceType for the accounts.
func (b builder) target(chosen selection) int {
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
