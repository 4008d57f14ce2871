package network

import (
	"fmt"
	"strings"

	"signpost/internal/doctor/probe"
)

// imap speaks IMAP (RFC 9051, RFC 3501).
type imap struct {
	tag int
	// told are the capabilities that came with the greeting (RFC 9051 §7.1, code CAPABILITY).
	told []string
}

func (p *imap) offersTLS() string { return "STARTTLS" }

func (p *imap) quit() string { return "s9 LOGOUT" }

func (p *imap) greet(s *session) *probe.Failure {
	line, failure := s.line()
	if failure != nil {
		return failure
	}
	s.greeted(line)
	switch word(line, 1) {
	case "OK", "PREAUTH":
	case "BYE":
		return turnedAway(line)
	default:
		return foreign(line)
	}
	if word(line, 0) != "*" {
		return foreign(line)
	}
	const code = "[CAPABILITY "
	if _, rest, found := strings.Cut(strings.ToUpper(line), code); found {
		if list, _, found := strings.Cut(rest, "]"); found {
			p.told = words(list)
		}
	}
	return nil
}

func (p *imap) capabilities(s *session) ([]string, *probe.Failure) {
	if p.told != nil {
		told := p.told
		p.told = nil
		return told, nil
	}
	s.step(capabilityBytes, probe.ByteLimit)
	var all []string
	answer, failure := p.command(s, "CAPABILITY", func(line string) {
		if word(line, 1) == "CAPABILITY" {
			all = append(all, words(line)[2:]...)
		}
	})
	if failure == nil && word(answer, 1) != "OK" {
		failure = foreign(answer)
	}
	return all, failure
}

func (p *imap) startTLS(s *session) *probe.Failure {
	answer, failure := p.command(s, "STARTTLS", nil)
	if failure == nil && word(answer, 1) != "OK" {
		failure = tlsRefused(answer)
	}
	return failure
}

func (p *imap) secured(*session) *probe.Failure { return nil }

// command sends a command and returns its tagged answer. untagged, unless nil, gets the
// lines before it.
func (p *imap) command(s *session, command string, untagged func(line string)) (string, *probe.Failure) {
	p.tag++
	tag := fmt.Sprintf("s%d", p.tag)
	if failure := s.say(tag + " " + command); failure != nil {
		return "", failure
	}
	for {
		line, failure := s.line()
		switch {
		case failure != nil:
			return "", failure
		case strings.EqualFold(word(line, 0), tag):
			return line, nil
		case word(line, 0) != "*":
			return "", foreign(line)
		case word(line, 1) == "BYE":
			return "", turnedAway(line)
		case untagged != nil:
			untagged(line)
		}
	}
}

// words returns the words of a line in upper case.
func words(line string) []string {
	all := strings.Fields(strings.ToUpper(line))
	for i := range all {
		all[i] = clean(all[i])
	}
	return all
}

// word returns the nth word of a line in upper case, or "".
func word(line string, n int) string {
	for i, field := range strings.SplitN(line, " ", n+2) {
		if i == n {
			return strings.ToUpper(field)
		}
	}
	return ""
}

// tlsRefused is the failure of a server that offers TLS and does not begin it.
func tlsRefused(line string) *probe.Failure {
	return &probe.Failure{Kind: probe.TLSRefused, Text: "offers TLS and refuses to begin it: " + quoted(line)}
}
