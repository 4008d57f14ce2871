package finding

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"signpost/internal/doctor/probe"
)

// foreignWebCertificates finds T1.
func foreignWebCertificates(ctx context.Context, c *Case) []Finding {
	return foreign(ctx, c, false)
}

// foreignMailCertificates finds T7.
func foreignMailCertificates(ctx context.Context, c *Case) []Finding {
	return foreign(ctx, c, true)
}

func foreign(ctx context.Context, c *Case, mail bool) []Finding {
	var found []Finding
	for _, h := range c.tlsHosts(ctx) {
		seen := h.with(probe.WrongName)
		if h.Mail != mail || len(seen) == 0 {
			continue
		}
		shown := certificateOf(seen[0].TLS)
		f := Finding{
			Subject:  h.Name,
			Evidence: h.evidence(seen, certificateOf),
			Cures:    []Cure{{Who: h.who(), Text: "get a certificate that has the name " + h.Name}},
		}
		if mail {
			f.Sentence = fmt.Sprintf("%s shows %s: clients refuse it, or ask the person.", h.place(seen), shown)
			if name := c.sameServer(ctx, h.Name, seen[0].TLS.Names); name != "" {
				f.Cures[0].Text = "or " + f.Cures[0].Text
				f.Cures = append([]Cure{{Who: MailProvider, Text: fmt.Sprintf("tell clients %s in place of %s, in "+
					"documents and SRV records: it is the same server, and its certificate has that name",
					name, h.Name)}}, f.Cures...)
			}
		} else {
			f.Sentence = fmt.Sprintf("%s shows %s: Outlook warns, other clients pass it over.", h.Name, shown)
			f.Cures = append(f.Cures, Cure{Who: h.who(),
				Text: "or close port 443 at this name, and send http on to a host whose certificate fits"})
		}
		found = append(found, f)
	}
	return found
}

// sameServer returns the name of a certificate under which the same host can be reached.
func (c *Case) sameServer(ctx context.Context, host string, names []string) string {
	addresses, _ := c.Addresses(ctx, host)
	for _, name := range names[:min(len(names), 5)] {
		name = strings.ToLower(name)
		if _, err := netip.ParseAddr(name); err == nil || strings.Contains(name, "*") || !strings.Contains(name, ".") {
			continue
		}
		others, _ := c.Addresses(ctx, name)
		for _, a := range addresses {
			for _, b := range others {
				if a.Type == b.Type && a.Data == b.Data && a.Type != "CNAME" {
					return name
				}
			}
		}
	}
	return ""
}

// endedCertificates finds T2.
func endedCertificates(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, h := range c.tlsHosts(ctx) {
		for _, p := range []probe.Problem{probe.Expired, probe.NotYetValid} {
			seen := h.with(p)
			if len(seen) == 0 {
				continue
			}
			t := seen[0].TLS
			text, cure := "ended on "+date(t.End), "renew the certificate and reload the service"
			if p == probe.NotYetValid {
				text = "is valid only from " + date(t.Start) + " on"
				cure = "use the certificate that is valid now, or set the clock right"
			}
			f := Finding{
				Subject:  h.Name,
				Sentence: fmt.Sprintf("The certificate of %s %s.", h.place(seen), text),
				Evidence: h.evidence(seen, func(t *probe.TLS) string {
					return fmt.Sprintf("valid from %s to %s", date(t.Start), date(t.End))
				}),
				Cures: []Cure{{Who: h.who(), Text: cure + "; to see it: " + h.look(seen, "-dates")}},
			}
			found = append(found, f)
		}
	}
	return found
}

// incompleteChains finds T3.
func incompleteChains(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, h := range c.tlsHosts(ctx) {
		seen := h.with(probe.IncompleteChain)
		if len(seen) == 0 {
			continue
		}
		found = append(found, Finding{
			Subject: h.Name,
			Sentence: fmt.Sprintf("The chain of %s is incomplete: the certificate of its issuer %s is missing, and "+
				"phones refuse it.", h.place(seen), seen[0].TLS.Issuer),
			Evidence: h.evidence(seen, func(t *probe.TLS) string {
				return fmt.Sprintf("%d certificate sent, issuer %s", t.Chain, t.Issuer)
			}),
			Cures: []Cure{{Who: h.who(),
				Text: "give the server fullchain.pem in place of cert.pem (" + chainFile(h, seen) + ")"}},
		})
	}
	return found
}

// chainFile returns the settings that name the file with the chain.
func chainFile(h tlsHost, seen []seenTLS) string {
	if !h.Mail {
		return "nginx: ssl_certificate; Apache: SSLCertificateFile"
	}
	if seen[0].Server.sends() {
		return "Postfix: smtpd_tls_cert_file, or smtpd_tls_chain_files with the key first"
	}
	return "Dovecot: ssl_cert = <‹fullchain.pem›"
}

// unknownIssuers finds T4. A certificate of the installation often has another name, too, and
// has ended: the cure is the same.
func unknownIssuers(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, h := range c.tlsHosts(ctx) {
		seen := h.with(probe.SelfSigned, probe.UnknownIssuer)
		if len(seen) == 0 {
			continue
		}
		t := seen[0].TLS
		signs := fmt.Sprintf("The certificate of %s is signed by %s, which no client trusts",
			h.place(seen), orNobody(t.Issuer))
		if t.Has(probe.SelfSigned) {
			signs = fmt.Sprintf("%s signs its certificate itself", h.place(seen))
		}
		found = append(found, Finding{
			Subject:  h.Name,
			Sentence: signs + ": Thunderbird's search passes over it, phones refuse it.",
			Evidence: h.evidence(seen, func(t *probe.TLS) string {
				return fmt.Sprintf("%s, issuer %s, %s", certificateOf(t), orNobody(t.Issuer), certificate(t))
			}),
			Cures: []Cure{{Who: h.who(),
				Text: "get a certificate for " + h.Name + " from a public authority (certbot, acme.sh)"}},
			Explains: at([]string{h.Name}, "T1", "T2", "T7"),
		})
	}
	return found
}

func orNobody(issuer string) string {
	if issuer == "" {
		return "an issuer without a name"
	}
	return issuer
}

// notReloaded finds T8: ports of a host, or hosts with one certificate, of which some show one that ended.
func notReloaded(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, h := range c.tlsHosts(ctx) {
		if !h.Mail {
			continue
		}
		old := h.with(probe.Expired)
		fresh := slices.DeleteFunc(slices.Clone(h.Seen), func(s seenTLS) bool {
			return s.TLS.Has(probe.Expired, probe.NotYetValid, probe.WrongName) ||
				len(old) > 0 && !s.TLS.End.After(old[0].TLS.End)
		})
		if len(old) == 0 || len(fresh) == 0 {
			continue
		}
		found = append(found, Finding{
			Subject: h.Name,
			Sentence: fmt.Sprintf("%s still %s the certificate that ended on %s; %s %s the new one.",
				placed(serversOf(old)),
				verb(serversOf(old), "shows", "show"), date(old[0].TLS.End), ports(serversOf(fresh)),
				verb(serversOf(fresh), "has", "have")),
			Evidence: append(h.evidence(old, func(t *probe.TLS) string { return "ended on " + date(t.End) }),
				h.evidence(fresh, func(t *probe.TLS) string { return "ends on " + date(t.End) })...),
			Cures: []Cure{{Who: MailProvider, Text: "reload the other service" + reload(old[0].Server) +
				", and let the renewal do it from now on (certbot: --deploy-hook)"}},
			Explains: at([]string{h.Name}, "T2"),
		})
	}
	return found
}

// reload returns the command that reloads the server, if the greeting tells its program.
func reload(s mailServer) string {
	switch s.software() {
	case postfix:
		return " (postfix reload)"
	case dovecot:
		return " (doveadm reload)"
	}
	return ""
}
