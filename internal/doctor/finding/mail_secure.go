package finding

import (
	"context"
	"fmt"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// withoutSTARTTLS finds M2.
func withoutSTARTTLS(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, without := range group(c.mailServers(ctx), func(s mailServer) bool {
		if s.SocketType != account.STARTTLS || s.Answer.TLS != nil {
			return false
		}
		f := s.Answer.Failure
		return f == nil && s.Answer.Before != nil || f != nil && f.Kind == probe.TLSRefused
	}) {
		s := without[0]
		f := Finding{
			Subject: s.Hostname,
			Sentence: fmt.Sprintf("%s %s no STARTTLS: clients refuse it, or send passwords openly.", placed(without),
				verb(without, "offers", "offer")),
			Evidence: evidence(without, func(s mailServer) string {
				if s.Answer.Failure != nil {
					return s.Answer.Failure.Text
				}
				return "offers " + capabilityText(s.Answer.Before)
			}),
			Cures: []Cure{{Who: MailProvider, Text: switchTLSOn(s)}},
		}
		if s.Answer.Failure != nil {
			f.Sentence = fmt.Sprintf("%s %s.", placed(without), s.Answer.Failure.Text)
		}
		found = append(found, f)
	}
	return found
}

// wrongBeginning finds M3: the server is at fault if what clients are told is the custom of the
// port; else the document is (C2).
func wrongBeginning(ctx context.Context, c *Case) []Finding {
	servers := c.mailServers(ctx)
	var found []Finding
	for _, clear := range group(servers, func(s mailServer) bool {
		f := s.Answer.Failure
		return s.SocketType == account.SSL && usual[s.Port] == account.SSL && f != nil && f.Kind == probe.BadTLS &&
			s.Answer.Greeting != "" && s.Answer.TLS == nil && !isOtherGreeting(s.Answer.Greeting)
	}) {
		s := clear[0]
		found = append(found, Finding{
			Subject: s.Hostname,
			Sentence: fmt.Sprintf("%s %s in clear text, where clients begin TLS at once.", placed(clear),
				verb(clear, "starts", "start")),
			Evidence: evidence(clear, func(s mailServer) string { return "in clear text: " + s.Answer.Greeting }),
			Cures:    []Cure{{Who: MailProvider, Text: beginTLS(s)}},
		})
	}
	for _, silent := range group(servers, func(s mailServer) bool {
		return s.expectsTLS() && usual[s.Port] == account.STARTTLS && s.SocketType == account.STARTTLS
	}) {
		s := silent[0]
		found = append(found, Finding{
			Subject: s.Hostname,
			Sentence: fmt.Sprintf("%s %s TLS from the first byte, where clients wait for a greeting.", placed(silent),
				verb(silent, "expects", "expect")),
			Evidence: evidence(silent, func(s mailServer) string { return "silent until TLS began" }),
			Cures:    []Cure{{Who: MailProvider, Text: beginInClear(s)}},
		})
	}
	return found
}
