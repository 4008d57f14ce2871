package config

import (
	"strings"
	"time"

	"golang.org/x/text/language"

	"signpost/account"
)

var supportKeys = keys[account.Support]{
	"status":        func(s *account.Support, v *value) { s.Status = v.url(pageURL) },
	"passwordReset": func(s *account.Support, v *value) { s.PasswordReset = v.url(pageURL) },
	"appPassword":   func(s *account.Support, v *value) { s.AppPassword = v.url(pageURL) },
	"controlPanel":  func(s *account.Support, v *value) { s.ControlPanel = v.url(pageURL) },
	"contact":       func(s *account.Support, v *value) { readContact(&s.Contact, v) },
	"sendingLimits": func(s *account.Support, v *value) { readSendingLimits(&s.Limits, v) },
	"checks": func(s *account.Support, v *value) {
		s.Checks = each(v.list("texts, each {en: …}"),
			func(item *value) []account.Title { return item.texts("a text") })
	},
}

var contactKeys = keys[account.Contact]{
	"url":   func(c *account.Contact, v *value) { c.URL = v.url(urlRule{}) },
	"email": func(c *account.Contact, v *value) { c.Email = v.mailAddress() },
	"phone": func(c *account.Contact, v *value) { c.Phone = v.phone() },
}

func readContact(c *account.Contact, v *value) {
	if has := contactKeys.read(v, c); has != nil && len(has) == 0 {
		v.fault("is empty, want url, email or phone")
	}
}

func (v *value) phone() string {
	return parsed(v, "a telephone number", func(text string) (string, bool) {
		return text, strings.Trim(text, "+0123456789 -()/.") == "" && strings.ContainsAny(text, "0123456789")
	})
}

// maxMessages is more than any mailbox sends in an hour.
const maxMessages = 10_000_000

var sendingLimitKeys = keys[account.SendingLimits]{
	"perAddress": func(l *account.SendingLimits, v *value) { l.PerAddress = v.number(1, maxMessages) },
	"perDomain":  func(l *account.SendingLimits, v *value) { l.PerDomain = v.number(1, maxMessages) },
	"wait":       func(l *account.SendingLimits, v *value) { l.Wait = v.duration(time.Minute, 7*24*time.Hour) },
}

func readSendingLimits(l *account.SendingLimits, v *value) {
	has := sendingLimitKeys.read(v, l)
	if has != nil && has["perAddress"] == nil && has["perDomain"] == nil {
		v.fault("perAddress or perDomain is missing, the number of messages allowed per hour")
	}
}

var noticeKeys = keys[account.Notice]{
	"from": func(n *account.Notice, v *value) { n.From = v.day() },
	"until": func(n *account.Notice, v *value) {
		if day := v.day(); !day.IsZero() {
			n.Until = day.AddDate(0, 0, 1) // the notice is still shown on that day
		}
	},
	"text": func(n *account.Notice, v *value) { n.Texts = v.texts("a text") },
	"url":  func(n *account.Notice, v *value) { n.URL = v.url(pageURL) },
}

func readNotices(p *provider, v *value) {
	for item := range v.list("notices, each {until: 2027-01-31, text: {en: …}}") {
		var n account.Notice
		has := noticeKeys.read(item, &n, "text")
		if has == nil {
			continue
		}
		if !n.Until.IsZero() && !n.From.Before(n.Until) {
			has["until"].fault("is before from, so the notice would never be shown")
		}
		p.Notices = append(p.Notices, n)
	}
}

// texts reads a text in one or several languages.
func (v *value) texts(wanted string) []account.Title {
	if !v.is(mapping, "a mapping of languages to "+strings.TrimPrefix(wanted, "a ")+"s, such as {en: Help}") {
		return nil
	}
	var texts []account.Title
	written := map[string]string{} // by tag
	for key, item := range v.entries() {
		tag, ok := languageTag(key.text)
		first, twice := written[tag]
		switch {
		case !ok:
			v.faultAt(key.line, "%s is not a language, such as en or sv", quote(key.text))
			continue
		case twice:
			v.faultAt(key.line, "%s is the same language as %s", quote(key.text), quote(first))
			continue
		}
		written[tag] = key.text
		item.remember()
		texts = append(texts, account.Title{Language: tag, Text: item.text(wanted)})
	}
	if len(v.items) == 0 {
		v.fault("is empty, want %s in at least one language", wanted)
	}
	return texts
}

// languageTag returns the canonical form of a language tag (BCP 47): sv for SV, swe
// and sv-Latn, pt-BR for pt_br. Tags that name no language, such as und, mul and those
// for private use, are well-formed but suit no reader.
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
