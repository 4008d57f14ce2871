package finding

import (
	"context"
	"fmt"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// unusualVersions finds T5.
func unusualVersions(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, h := range c.tlsHosts(ctx) {
		if seen := h.with(probe.OldVersion); len(seen) > 0 {
			found = append(found, Finding{
				Subject: h.Name,
				Sentence: fmt.Sprintf("%s speaks %s at most: today's clients need 1.2.",
					h.place(seen), seen[0].TLS.Version),
				Evidence: h.evidence(seen, func(t *probe.TLS) string { return "handshake with " + t.Version }),
				Cures:    []Cure{{Who: h.who(), Text: "switch TLS 1.2 and 1.3 on (" + versionSetting(h, seen) + ")"}},
			})
		}
	}
	for _, failed := range group(c.mailServers(ctx), func(s mailServer) bool {
		f := s.Answer.Failure
		return f != nil && s.Answer.TLS == nil && f.Kind == probe.BadTLS &&
			(s.SocketType == account.STARTTLS || s.Answer.Greeting == "")
	}) {
		found = append(found, Finding{
			Subject:  failed[0].Hostname,
			Sentence: fmt.Sprintf("%s of %s: %s.", ports(failed), failed[0].Hostname, failed[0].Answer.Failure.Text),
			Evidence: evidence(failed, func(s mailServer) string { return s.Answer.Failure.Text }),
			Cures: []Cure{{Who: MailProvider, Text: "see the server's log for this handshake: it needs a certificate " +
				"whose key fits, and TLS 1.2 and 1.3 with the usual cipher suites"}},
		})
	}
	found = append(found, failedWebHandshakes(c)...)
	return append(found, onlyNewest(ctx, c)...)
}

// failedWebHandshakes are those that cost a client something.
func failedWebHandshakes(c *Case) []Finding {
	var found []Finding
	for _, w := range c.webHosts() {
		f := Finding{Subject: w.Name, Cures: []Cure{{Who: WebServer(w.Name),
			Text: "TLS 1.2 and 1.3, with a certificate for " + w.Name + ", on port 443; or close the port"}}}
		for _, hop := range w.Hops {
			if failure := hop.Answer.Failure; failure != nil && failure.Kind == probe.BadTLS {
				f.Sentence = fmt.Sprintf("443 of %s: %s.", w.Name, failure.Text)
				f.Evidence = append(f.Evidence, See(hop.Question, "%s", failure.Text))
			}
		}
		if len(f.Evidence) > 0 {
			found = append(found, f)
		}
	}
	return found
}

func versionSetting(h tlsHost, seen []seenTLS) string {
	switch {
	case !h.Mail:
		return "nginx: ssl_protocols TLSv1.2 TLSv1.3; Apache: SSLProtocol -all +TLSv1.2 +TLSv1.3"
	case seen[0].Server.sends():
		return "Postfix: smtpd_tls_protocols = >=TLSv1.2 and smtpd_tls_mandatory_protocols = >=TLSv1.2"
	}
	return "Dovecot: ssl_min_protocol = TLSv1.2"
}

// oneOfEach returns a server with TLS from the first byte for receiving and one for sending,
// of those that are announced: enough to see how a provider's servers are set up.
func oneOfEach(servers []mailServer) []mailServer {
	var some []mailServer
	had := map[bool]bool{}
	for _, s := range servers {
		if s.announced() && s.SocketType == account.SSL && s.Answer.TLS != nil && !had[s.sends()] {
			had[s.sends()] = true
			some = append(some, s)
		}
	}
	return some
}

// plainHandshake asks for a handshake as an old client makes it: at most TLS 1.2, and without the name.
// A good answer says two things with one connection.
func (s mailServer) plainHandshake() probe.TLSQuestion {
	return probe.TLSQuestion{Host: s.Hostname, Port: s.Port, NoName: true, Max: tls12}
}

const tls12 = 0x0303

// onlyNewest finds servers that refuse TLS 1.2.
func onlyNewest(ctx context.Context, c *Case) []Finding {
	servers := oneOfEach(c.mailServers(ctx))
	for _, s := range servers {
		c.Expect(ctx, s.plainHandshake())
	}
	var found []Finding
	for _, s := range servers {
		if s.Answer.TLS.Version != "TLS 1.3" || c.Asker.TLS(ctx, s.plainHandshake()).TLS != nil {
			continue
		}
		q := probe.TLSQuestion{Host: s.Hostname, Port: s.Port, Max: tls12}
		a := c.Asker.TLS(ctx, q)
		if a.TLS != nil || a.Failure == nil || a.Failure.Kind != probe.BadTLS {
			continue
		}
		found = append(found, Finding{
			Subject:  s.Hostname,
			Severity: Warning,
			Sentence: fmt.Sprintf("%d of %s speaks TLS 1.3 only: Outlook on Windows 10, older phones and Java "+
				"programs need 1.2.", s.Port, s.Hostname),
			Evidence: []Evidence{s.see("%s", s.Answer.TLS.Version), See(q, "%s", a.Failure.Text)},
			Cures: []Cure{{Who: MailProvider, Text: "switch TLS 1.2 on as well (" +
				versionSetting(tlsHost{Mail: true}, []seenTLS{{Server: s}}) + ")"}},
		})
	}
	return found
}

// otherWithoutSNI finds T9.
func otherWithoutSNI(ctx context.Context, c *Case) []Finding {
	servers := oneOfEach(c.mailServers(ctx))
	for _, s := range servers {
		c.Expect(ctx, s.plainHandshake())
	}
	var found []Finding
	for _, s := range servers {
		q := s.plainHandshake()
		a := c.Asker.TLS(ctx, q)
		if a.TLS == nil && a.Failure.Known() {
			q.Max = 0 // the version may be what it refuses
			a = c.Asker.TLS(ctx, q)
		}
		var shown string
		switch {
		case len(s.Answer.TLS.Problems) > 0, !a.Failure.Known():
			continue
		case a.TLS != nil && a.TLS.Has(probe.WrongName):
			shown = certificateOf(a.TLS)
		case a.Failure != nil && a.Failure.Kind == probe.BadTLS:
			shown = "no certificate"
		default:
			continue
		}
		found = append(found, Finding{
			Subject:  s.Hostname,
			Severity: Note,
			Sentence: fmt.Sprintf("To clients that do not name the server in TLS (SNI), %d of %s shows %s.",
				s.Port, s.Hostname, shown),
			Evidence: []Evidence{See(q, "%s", shown), s.see("%s", certificateOf(s.Answer.TLS))},
			Cures:    []Cure{{Who: MailProvider, Text: "make the certificate of " + s.Hostname + " the default one"}},
		})
	}
	return found
}
