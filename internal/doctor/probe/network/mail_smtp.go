package network

import (
	"strings"

	"signpost/internal/doctor/probe"
)

// smtp speaks the beginning of SMTP (RFC 5321).
type smtp struct {
	hello string
}

func (p *smtp) offersTLS() string { return "STARTTLS" } // RFC 3207

func (p *smtp) quit() string { return "QUIT" }

// greet waits for the last line of the greeting: Postfix's postscreen sends "220-" at
// once and the rest only when it has watched the client for some seconds.
func (p *smtp) greet(s *session) *probe.Failure {
	lines, failure := p.reply(s, s.greeted)
	if failure != nil {
		if failure.Kind == probe.TimedOut {
			s.answer.GreetedAt = 0
		}
		return failure
	}
	s.answer.GreetedAt = s.sinceStart()
	if lines[0][0] != '2' {
		return turnedAway(lines[0])
	}
	return nil
}

func (p *smtp) capabilities(s *session) ([]string, *probe.Failure) {
	s.step(capabilityBytes, probe.ByteLimit)
	if failure := s.say("EHLO " + p.hello); failure != nil {
		return nil, failure
	}
	lines, failure := p.reply(s, nil)
	switch {
	case failure != nil:
		return nil, failure
	case strings.HasPrefix(lines[0], "50"):
		return nil, foreign(lines[0])
	case lines[0][0] != '2':
		return nil, turnedAway(lines[0])
	}
	all := []string{}
	for _, line := range lines[1:] {
		if line = strings.ToUpper(clean(line[min(4, len(line)):])); line != "" {
			all = append(all, line)
		}
	}
	return all, nil
}

func (p *smtp) startTLS(s *session) *probe.Failure {
	if failure := s.say("STARTTLS"); failure != nil {
		return failure
	}
	lines, failure := p.reply(s, nil)
	if failure == nil && lines[0][0] != '2' {
		failure = tlsRefused(lines[0])
	}
	return failure
}

func (p *smtp) secured(*session) *probe.Failure { return nil }

// reply reads the lines of a reply (RFC 5321 §4.2), at least one. first, unless nil, gets
// the first as soon as it is there.
func (p *smtp) reply(s *session, first func(line string)) (lines []string, failure *probe.Failure) {
	for {
		line, failure := s.line()
		if failure != nil {
			return nil, failure
		}
		if len(lines) == 0 && first != nil {
			first(line)
		}
		if !isReply(line) || len(lines) > 0 && line[:3] != lines[0][:3] {
			return nil, foreign(line)
		}
		lines = append(lines, line)
		if len(line) == 3 || line[3] == ' ' {
			return lines, nil
		}
	}
}

// isReply reports whether the line has the form of one of a reply: a code, then nothing,
// a blank or a hyphen.
func isReply(line string) bool {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return false
	}
	for _, digit := range []byte(line[1:3]) {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '-'
}
