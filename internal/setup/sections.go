package setup

import (
	"slices"

	"signpost/templates"
)

// section is one of the page's sections. Its content is written by the template
// named like its ID.
type section struct {
	ID    string
	Title string
	Open  bool
}

// arrange sets the sections in the order for the visiting device, the first of them
// open if the device is known, and all open for allDevices.
//
// On a device whose programs are known, sections that say that nothing works come
// last. If none of its programs works, the webmail comes first; without webmail, the
// section with all settings does. They also come first for a device that is not known.
func (a *answer) arrange(d device, lang *templates.Language) {
	own := programs[d]
	dead := func(s device) bool { return own != nil && s != other && !a.works(s, d) }
	stuck := d == unknown || own != nil && !slices.ContainsFunc(own, func(s device) bool { return a.works(s, d) })
	a.Visitor = string(d)
	a.WebmailFirst = stuck && a.Webmail != ""
	// On Linux, Evolution can be what works: its steps are among all settings.
	otherFirst := stuck && !a.WebmailFirst || d == linux && !stuck && dead(thunderbird)
	rank := func(s device) int {
		switch {
		case dead(s):
			return 1
		case s == other && otherFirst:
			return -1
		}
		return 0
	}
	order := slices.Clone(orders[d])
	slices.SortStableFunc(order, func(x, y device) int { return rank(x) - rank(y) })
	for i, id := range order {
		open := d == allDevices || i == 0 && !a.WebmailFirst
		a.Sections = append(a.Sections, section{string(id), lang.Label(string(id) + ".title"), open})
	}
}

// offerIPad sets what a visitor sees first whose Mac may be an iPad, unless it is the same.
func (a *answer) offerIPad() {
	a.IPadWorks = a.works(iPhone, iPhone)
	a.IPad = a.IPadWorks || a.Webmail != "" && !a.WebmailFirst
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
	case android: // Android's Exchange accounts are not known to work on ChromeOS
		return byHand || a.Exchange && d != chromeOS || a.Mail && !a.Ticket
	case outlook:
		switch d {
		case newOutlook: // signs in with the address, and does not speak ActiveSync
			return a.AutodiscoverRedirect || a.PasswordForm && !a.OtherLogin
		case mac: // nor does that of a Mac
			return byHand
		}
		return byHand || a.Exchange && !a.Token
	case thunderbird:
		return byHand || a.Mail || a.Web
	}
	return byHand || a.Mail || a.Evolution
}
