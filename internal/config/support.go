package config

import (
	"strings"
	"time"

	"golang.org/x/text/language"

	"signpost/account"
)

var supportKeys = keys[account.Support]{
	"status":        func(s *account.Support, v *value) { s.Status, _ = v.url(pageURL) },
	"passwordReset": func(s *account.Support, v *value) { s.PasswordReset, _ = v.url(pageURL) },
	"controlPanel":  func(s *account.Support, v *value) { s.ControlPanel, _ = v.url(pageURL) },
	"contact":       func(s *account.Support, v *value) { readContact(&s.Contact, v) },
	"sendingLimits": func(s *account.Support, v *value) { readSendingLimits(&s.Limits, v) },
	"checks": func(s *account.Support, v *value) {
		for item := range v.list("texts, each {en: …}") {
			if texts := item.texts("a text"); texts != nil {
				s.Checks = append(s.Checks, texts)
			}
		}
	},
}

func readSupport(p *provider, v *value) { supportKeys.read(v, &p.Support) }

var contactKeys = keys[account.Contact]{
	"url":   func(c *account.Contact, v *value) { c.URL, _ = v.url(urlRule{}) },
	"email": func(c *account.Contact, v *value) { c.Email, _ = v.mailAddress() },
	"phone": func(c *account.Contact, v *value) {
		text, ok := v.text("a telephone number")
		if ok && (strings.Trim(text, "+0123456789 -()/.") != "" || !strings.ContainsAny(text, "0123456789")) {
			v.fault("%s is not a telephone number", quote(text))
			return
		}
		c.Phone = text
	},
}

// mailAddress reads the address of a mailbox.
func (v *value) mailAddress() (string, bool) {
	text, ok := v.text("a mail address")
	if !ok {
		return "", false
	}
	a, err := account.ParseAddress(text)
	if err != nil {
		v.fault("%s is %v", quote(text), err)
		return "", false
	}
	return a.String(), true
}

func readContact(c *account.Contact, v *value) {
	if has, ok := contactKeys.read(v, c); ok && len(has) == 0 {
		v.fault("is empty, want url, email or phone")
	}
}

// maxMessages is more than any mailbox sends in an hour.
const maxMessages = 10_000_000

var sendingLimitKeys = keys[account.SendingLimits]{
	"perAddress": func(l *account.SendingLimits, v *value) { l.PerAddress, _ = v.number(1, maxMessages) },
	"perDomain":  func(l *account.SendingLimits, v *value) { l.PerDomain, _ = v.number(1, maxMessages) },
	"wait":       func(l *account.SendingLimits, v *value) { l.Wait, _ = v.duration(time.Minute, 7*24*time.Hour) },
}

func readSendingLimits(l *account.SendingLimits, v *value) {
	has, ok := sendingLimitKeys.read(v, l)
	if ok && has["perAddress"] == nil && has["perDomain"] == nil {
		v.fault("perAddress or perDomain is missing, the messages that may be sent in an hour")
	}
}

var noticeKeys = keys[account.Notice]{
	"from": func(n *account.Notice, v *value) { n.From, _ = v.day() },
	"until": func(n *account.Notice, v *value) {
		if day, ok := v.day(); ok {
			n.Until = day.AddDate(0, 0, 1) // that day is the last
		}
	},
	"text": func(n *account.Notice, v *value) { n.Texts = v.texts("a text") },
	"url":  func(n *account.Notice, v *value) { n.URL, _ = v.url(pageURL) },
}

func readNotices(p *provider, v *value) {
	for item := range v.list("notices, each {until: 2027-01-31, text: {en: …}}") {
		var n account.Notice
		has, ok := noticeKeys.read(item, &n)
		if !ok {
			continue
		}
		item.require(has, "text")
		if !n.Until.IsZero() && !n.From.Before(n.Until) {
			has["until"].fault("is before from, so that the notice would never be shown")
		}
		p.Notices = append(p.Notices, n)
	}
}

// day reads a date, which begins at midnight where this machine is.
func (v *value) day() (time.Time, bool) {
	const wanted = "a date, such as 2027-01-31"
	text, ok := v.text(wanted)
	if !ok {
		return time.Time{}, false
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		v.fault("%s is not %s", quote(text), wanted)
		return time.Time{}, false
	}
	return day, true
}

// texts reads a text in one or several languages.
func (v *value) texts(wanted string) []account.Title {
	if !v.is(mapping, "a mapping of languages to "+strings.TrimPrefix(wanted, "a ")+"s, such as {en: Help}") {
		return nil
	}
	var texts []account.Title
	given := map[string]string{}
	for key, item := range v.entries() {
		tag, ok := languageTag(key.text)
		if !ok {
			v.faultAt(key.line, "%s is not a language, such as en or sv", quote(key.text))
			continue
		}
		if first, twice := given[tag]; twice {
			v.faultAt(key.line, "%s is the same language as %s", quote(key.text), quote(first))
			continue
		}
		given[tag] = key.text
		if text, ok := item.text(wanted); ok {
			texts = append(texts, account.Title{Language: tag, Text: text})
		}
	}
	if len(v.items) == 0 {
		v.fault("is empty, want %s in one language at least", wanted)
	}
	return texts
}

// languageTag is the usual form of a language tag (BCP 47): sv for SV, swe and
// sv-Latn, pt-BR for pt_br. Tags that name no language, such as und, mul and
// those of private use, are well-formed and suit no reader.
func languageTag(text string) (string, bool) {
	tag, err := language.BCP47.Parse(text)
	if err != nil {
		return "", false
	}
	switch base, _, _ := tag.Raw(); base.String() {
	case "und", "mis", "mul", "zxx":
		return "", false
	}
	return tag.String(), true
}
