package doctor

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// describeDNS says in a few words what DNS answered.
func describeDNS(a probe.DNSAnswer) string {
	switch {
	case a.Failure != nil:
		return a.Failure.Text
	case len(a.Records) > 0:
		data := make([]string, len(a.Records))
		for i, r := range a.Records {
			data[i] = r.Type + " " + r.Data
		}
		return strings.Join(data, "; ")
	case a.Status == dns.NoName:
		return "no such name"
	}
	return "no such record"
}

// describeWeb says in a few words what a web server answered.
func describeWeb(a probe.WebAnswer) string {
	if a.Failure != nil {
		return a.Failure.Text
	}
	text := fmt.Sprint(a.Status)
	if a.Status >= 300 && a.Status < 400 && a.Header["Location"] != "" {
		text += " to " + a.Header["Location"]
	} else if contentType, _, _ := strings.Cut(a.Header["Content-Type"], ";"); contentType != "" {
		text += " " + contentType
	}
	return text + problems(a.TLS)
}

// describeMail says in a few words what a mail server said.
func describeMail(a probe.MailAnswer) string {
	var parts []string
	if a.TLS != nil {
		parts = append(parts, describeTLS(a.TLS, nil))
	}
	capabilities := a.After
	if a.TLS == nil {
		capabilities = a.Before
	}
	if len(capabilities) > 0 {
		parts = append(parts, strings.Join(capabilities, ", "))
	}
	if a.Failure != nil {
		parts = append(parts, a.Failure.Text)
	}
	return cmp.Or(strings.Join(parts, ": "), a.Greeting, "connected")
}

// describeTLS says in a few words what a handshake showed.
func describeTLS(t *probe.TLS, failure *probe.Failure) string {
	if failure != nil {
		return failure.Text
	}
	if t == nil {
		return "no TLS"
	}
	return cmp.Or(t.Version, "TLS") + problems(t)
}

// problems returns what is wrong with a certificate, with what it is for.
func problems(t *probe.TLS) string {
	if t == nil || len(t.Problems) == 0 {
		return ""
	}
	words := make([]string, len(t.Problems))
	for i, p := range t.Problems {
		words[i] = string(p)
	}
	return fmt.Sprintf(" (certificate of %s: %s)",
		cmp.Or(strings.Join(t.Names, " "), "nobody"), strings.Join(words, ", "))
}

// label returns a web question for people. A key has a digest of the body in place of what
// the question is about.
func label(q probe.WebQuestion) string {
	text := q.Method + " " + q.URL
	for part, about := range map[string]string{
		"mobilesync/requestschema": "for phones",
		"outlook/requestschema":    "for Outlook",
		"GetUserSettings":          "for EWS programs",
	} {
		if strings.Contains(q.Body, part) {
			text += " (" + about + ")"
		}
	}
	if q.Address.IsValid() {
		text += " at " + q.Address.String()
	}
	return text
}

// withoutDigests returns the key of a question that was not put. Whoever guesses an address
// could see from the digest of a body that the guess is right.
func withoutDigests(key probe.Key) string { return digests.ReplaceAllString(string(key), "") }

var digests = regexp.MustCompile(`( [0-9a-f]{8})+\b`)
