package network

import (
	"strings"

	"signpost/internal/doctor/probe"
)

// sieve speaks ManageSieve (RFC 5804).
type sieve struct {
	// told are the capabilities that came with the greeting, or by themselves after TLS
	// had begun (RFC 5804 §1.7, §2.2).
	told []string
}

func (p *sieve) offersTLS() string { return "STARTTLS" }

func (p *sieve) quit() string { return "LOGOUT" }

func (p *sieve) greet(s *session) *probe.Failure {
	s.limited.N = capabilityBytes // they are the greeting
	return p.list(s, s.greeted)
}

func (p *sieve) capabilities(*session) ([]string, *probe.Failure) { return p.told, nil }

func (p *sieve) startTLS(s *session) *probe.Failure {
	if failure := s.say("STARTTLS"); failure != nil {
		return failure
	}
	line, failure := s.line()
	if failure == nil && word(line, 0) != "OK" {
		failure = tlsRefused(line)
	}
	return failure
}

func (p *sieve) secured(s *session) *probe.Failure {
	s.step(capabilityBytes, probe.ByteLimit)
	return p.list(s, nil)
}

// list reads capabilities up to the line that ends them.
func (p *sieve) list(s *session, first func(line string)) *probe.Failure {
	p.told = []string{}
	for n := 0; ; n++ {
		line, failure := s.line()
		if failure != nil {
			return failure
		}
		if n == 0 && first != nil {
			first(line)
		}
		switch {
		case strings.HasPrefix(line, `"`):
			p.told = append(p.told, unquote(line))
		case word(line, 0) == "OK":
			return nil
		case word(line, 0) == "NO", word(line, 0) == "BYE":
			return turnedAway(line)
		default:
			return foreign(line)
		}
	}
}

// unquote returns the name and value of a capability without their quotation marks:
// `SASL PLAIN LOGIN` for `"SASL" "PLAIN LOGIN"`.
func unquote(line string) string {
	return strings.ToUpper(clean(strings.ReplaceAll(line, `"`, "")))
}
