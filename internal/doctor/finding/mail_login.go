package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
)

// mechanisms returns the ways to sign in that a server offers. Known is false if it did not
// come so far, or has no list of capabilities.
func (s mailServer) mechanisms() (found []string, known bool) {
	capabilities := s.capabilities()
	if s.Answer.Failure != nil || capabilities == nil {
		return nil, false
	}
	return client.Mechanisms(s.Type, capabilities), true
}

// offersTLS reports whether TLS can begin after the greeting.
func (s mailServer) offersTLS() bool {
	return slices.Contains(s.Answer.Before, "STARTTLS") || slices.Contains(s.Answer.Before, "STLS")
}

// withoutLogin finds M4.
func withoutLogin(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, without := range group(c.mailServers(ctx), func(s mailServer) bool {
		mechanisms, known := s.mechanisms()
		inVain := s.SocketType == account.Plain && s.offersTLS() // M5, or nobody is told so
		return s.sends() && known && len(mechanisms) == 0 && !inVain && !c.needsNoLogin(s)
	}) {
		s := without[0]
		even := ""
		if s.SocketType == account.STARTTLS {
			even = ", not even after STARTTLS"
		}
		found = append(found, Finding{
			Subject: s.Hostname,
			Sentence: fmt.Sprintf("%s %s no login%s: nobody can send there.", placed(without),
				verb(without, "offers", "offer"), even),
			Evidence: evidence(without, func(s mailServer) string {
				return tlsText(s) + ": " + capabilityText(s.capabilities()) + "; no AUTH"
			}),
			Cures: []Cure{{Who: MailProvider, Text: switchSASLOn(s)}},
		})
	}
	return found
}

// needsNoLogin reports whether all that announce a sending server say that nobody signs in there.
func (c *Case) needsNoLogin(s mailServer) bool {
	if !s.announced() {
		return false
	}
	saying := 0
	for _, d := range c.Documents() {
		for _, server := range d.Servers {
			if server.Type != s.Type || !strings.EqualFold(server.Hostname, s.Hostname) || server.Port != s.Port {
				continue
			}
			if !slices.Contains(server.Authentication, account.NoAuthentication) &&
				!slices.Contains(server.Authentication, account.ClientIPAddress) {
				return false
			}
			saying++
		}
	}
	return saying > 0
}

// loginOnlyInTLS finds M5.
func loginOnlyInTLS(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, told := range group(c.mailServers(ctx), func(s mailServer) bool {
		mechanisms, known := s.mechanisms()
		return s.announced() && s.SocketType == account.Plain && known && s.offersTLS() &&
			!hasAny(mechanisms, passwordMechanisms)
	}) {
		s := told[0]
		f := Finding{
			Subject: s.Hostname,
			Sentence: fmt.Sprintf("%s %s a login only after STARTTLS, but clients are told plain.", placed(told),
				verb(told, "offers", "offer")),
			Evidence: evidence(told,
				func(s mailServer) string { return tlsText(s) + ": " + capabilityText(s.Answer.Before) }),
			Cures: []Cure{{Who: MailProvider, Text: "socketType STARTTLS in place of plain in the document"}},
		}
		for _, key := range s.Keys {
			f.Evidence = append(f.Evidence, Evidence{key, "plain"})
		}
		found = append(found, f)
	}
	return found
}

// withoutPassword finds M6. Where a sign-in at a web page is offered, it is meant so (A4).
func withoutPassword(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, without := range group(c.mailServers(ctx), func(s mailServer) bool {
		mechanisms, known := s.mechanisms()
		noneForSMTP := s.sends() && len(mechanisms) == 0 // M4
		return known && s.SocketType != account.Plain && !noneForSMTP && !hasAny(mechanisms, passwordMechanisms) &&
			!hasAny(mechanisms, oauthMechanisms) && !c.saysSo(s, mechanisms)
	}) {
		s := without[0]
		mechanisms, _ := s.mechanisms()
		only := "no login at all"
		if len(mechanisms) > 0 {
			only = "no login with the password itself, only " + list(mechanisms)
		}
		found = append(found, Finding{
			Subject: s.Hostname,
			Sentence: fmt.Sprintf("%s %s %s, although TLS protects it: most clients cannot sign in.", placed(without),
				verb(without, "offers", "offer"), only),
			Evidence: evidence(without, func(s mailServer) string {
				return tlsText(s) + ": " + capabilityText(s.capabilities())
			}),
			Cures: []Cure{{Who: MailProvider, Text: allowPlain(s)}},
		})
	}
	return found
}

// saysSo reports whether clients are told of other mechanisms, and the server has them.
func (c *Case) saysSo(s mailServer, mechanisms []string) bool {
	for _, d := range c.Documents() {
		for _, server := range d.Servers {
			if server.Type != s.Type || !strings.EqualFold(server.Hostname, s.Hostname) || server.Port != s.Port {
				continue
			}
			encrypted := slices.ContainsFunc(mechanisms, isEncrypted)
			for _, method := range server.Authentication {
				switch method {
				case account.PasswordEncrypted:
					if encrypted {
						return true
					}
				case account.GSSAPI, account.NTLM:
					if slices.Contains(mechanisms, string(method)) {
						return true
					}
				case account.TLSClientCert:
					return true
				}
			}
		}
	}
	return false
}

// isEncrypted reports whether a mechanism does not send the password itself.
func isEncrypted(mechanism string) bool {
	return mechanism == "CRAM-MD5" || mechanism == "DIGEST-MD5" || strings.HasPrefix(mechanism, "SCRAM-")
}
