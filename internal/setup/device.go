package setup

import (
	"slices"
	"strings"

	"signpost/templates"
)

// device is a kind of device or program that the page has a section for. Its values
// are the anchors of the sections and the values of the parameter device.
type device string

const (
	iPhone      device = "iphone" // and iPad
	mac         device = "mac"
	android     device = "android"
	outlook     device = "outlook"
	thunderbird device = "thunderbird"
	other       device = "other"

	windows device = "windows" // without a section of its own
	linux   device = "linux"   // likewise

	allDevices device = "all" // all sections open, for printing and the support desk
)

// orders lists the sections for each visiting device, the likeliest first.
var orders = map[device][]device{
	"":          {iPhone, android, outlook, thunderbird, mac, other},
	iPhone:      {iPhone, mac, outlook, android, thunderbird, other},
	mac:         {mac, iPhone, outlook, thunderbird, android, other},
	android:     {android, outlook, thunderbird, iPhone, mac, other},
	outlook:     {outlook, thunderbird, iPhone, android, mac, other},
	thunderbird: {thunderbird, outlook, iPhone, android, mac, other},
	other:       {other, iPhone, android, outlook, thunderbird, mac},
	windows:     {outlook, thunderbird, iPhone, android, mac, other},
	linux:       {thunderbird, other, iPhone, android, outlook, mac},
	allDevices:  {iPhone, android, outlook, thunderbird, mac, other},
}

// programs lists the sections of what runs on a visiting device.
var programs = map[device][]device{
	iPhone:  {iPhone},
	mac:     {mac, outlook, thunderbird},
	android: {android},
	windows: {outlook, thunderbird},
	linux:   {thunderbird},
}

// section is one of the page's sections. Its content is written by the template
// named like its ID.
type section struct {
	ID    string
	Title string
	Open  bool
}

// arrange sets the sections in the order for the device, the first of them open if
// the device is known, and all open for allDevices.
//
// On a device whose programs are known, sections that say that nothing works come
// last. If none of its programs works, the webmail comes first; without webmail, the
// section with all settings does.
func (a *answer) arrange(d device, lang *templates.Language) {
	own := programs[d]
	dead := func(s device) bool { return own != nil && !a.works(s, d) }
	stuck := own != nil && !slices.ContainsFunc(own, func(s device) bool { return !dead(s) })
	a.WebmailFirst = stuck && a.Webmail != ""
	rank := func(s device) int {
		switch {
		case dead(s):
			return 1
		case stuck && s == other && !a.WebmailFirst:
			return -1
		}
		return 0
	}
	order := slices.Clone(orders[d])
	slices.SortStableFunc(order, func(x, y device) int { return rank(x) - rank(y) })
	for i, id := range order {
		open := d == allDevices || i == 0 && d != "" && !a.WebmailFirst
		a.Sections = append(a.Sections, section{string(id), lang.Label(string(id) + ".title"), open})
	}
}

// works reports whether the section shows a way to set up the mailbox, to a visitor
// with the device d.
func (a *answer) works(section, d device) bool {
	byHand := a.PasswordForm || a.AutodiscoverRedirect
	switch section {
	case iPhone:
		return byHand || a.IPhone != nil || a.Exchange && !a.Token
	case mac:
		return byHand || a.Mac != nil
	case android:
		return byHand || a.Exchange || a.Mail && !a.Ticket
	case outlook: // that of a Mac does not speak ActiveSync
		return byHand || a.Exchange && !a.Token && d != mac
	case thunderbird:
		return byHand || a.Mail || a.Web
	}
	return true
}

// parseDevice returns the device that the parameter device names, and whether it
// names one.
func parseDevice(name string) (device, bool) {
	if name == "ipad" {
		return iPhone, true
	}
	_, ok := orders[device(name)]
	return device(name), ok && name != ""
}

// guessDevice returns the device that a User-Agent header suggests.
//
// The guess only decides the order of the page: if it is wrong, the right section
// is further down. An iPad calls itself a Macintosh, so its section is the second
// there.
func guessDevice(agent string) device {
	contains := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(agent, name) })
	}
	switch {
	case contains("iPhone", "iPad", "iPod"):
		return iPhone
	case contains("Android"):
		return android
	case contains("Macintosh"):
		return mac
	case contains("Windows"):
		return windows
	case contains("X11", "Linux"):
		return linux
	}
	return ""
}
