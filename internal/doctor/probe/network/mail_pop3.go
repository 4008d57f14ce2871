package network

import (
	"strings"

	"signpost/internal/doctor/probe"
)

// pop3 speaks POP3 (RFC 1939) with its extension mechanism (RFC 2449).
type pop3 struct{}

func (p *pop3) offersTLS() string { return "STLS" } // RFC 2595 §4

func (p *pop3) quit() string { return "QUIT" }

func (p *pop3) greet(s *session) *probe.Failure {
	line, failure := s.line()
	if failure != nil {
		return failure
	}
	s.greeted(line)
	switch word(line, 0) {
	case "+OK":
		return nil
	case "-ERR":
		return turnedAway(line)
	}
	return foreign(line)
}

// capabilities returns nil if the server does not know the command (RFC 2449 §5: -ERR).
// Clients then try USER and PASS, which RFC 1939 has.
func (p *pop3) capabilities(s *session) ([]string, *probe.Failure) {
	s.step(capabilityBytes, probe.ByteLimit)
	if failure := s.say("CAPA"); failure != nil {
		return nil, failure
	}
	line, failure := s.line()
	switch {
	case failure != nil:
		return nil, failure
	case word(line, 0) == "-ERR":
		return nil, nil
	case word(line, 0) != "+OK":
		return nil, foreign(line)
	}
	all := []string{}
	for {
		line, failure := s.line()
		if failure != nil {
			return all, failure
		}
		if line == "." {
			return all, nil
		}
		if line = strings.TrimPrefix(line, "."); line != "" {
			all = append(all, strings.ToUpper(clean(line)))
		}
	}
}

func (p *pop3) startTLS(s *session) *probe.Failure {
	if failure := s.say("STLS"); failure != nil {
		return failure
	}
	line, failure := s.line()
	if failure == nil && word(line, 0) != "+OK" {
		failure = tlsRefused(line)
	}
	return failure
}

func (p *pop3) secured(*session) *probe.Failure { return nil }
