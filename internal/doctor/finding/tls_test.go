package finding

import (
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// certificate changes what a mail server shows.
func (w *world) certificate(q probe.MailQuestion, change func(t *probe.TLS)) {
	w.says(q, func(a *probe.MailAnswer) { change(a.TLS) })
}

// shows changes what the web server at a host shows over https.
func (w *world) shows(host string, change func(t *probe.TLS)) {
	w.each(host, func(a *probe.WebAnswer) {
		if a.TLS != nil {
			copied := *a.TLS
			change(&copied)
			a.TLS = &copied
		}
	})
}

func has(problems ...probe.Problem) func(*probe.TLS) {
	return func(t *probe.TLS) { t.Problems = problems }
}

func TestTLSFaults(t *testing.T) {
	all := slices.Concat(dnsFaults, webFaults, tlsFaults, mailFaults)
	const autoconfig = "autoconfig.nordlys.example"
	foreign := func(t *probe.TLS) {
		t.Names, t.Problems = []string{"www.webhost.example"}, []probe.Problem{probe.WrongName}
	}
	ended := func(t *probe.TLS) {
		t.End, t.Problems = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), []probe.Problem{probe.Expired}
	}
	ask := func(q probe.MailQuestion, noName bool, highest uint16) probe.TLSQuestion {
		return probe.TLSQuestion{Host: q.Host, Port: q.Port, NoName: noName, Max: highest}
	}
	imap := probe.MailQuestion{Type: account.IMAP, Host: "imap.hoster.example", Port: 143, SocketType: account.STARTTLS}
	refused := probe.TLSAnswer{Failure: &probe.Failure{Kind: probe.BadTLS, Text: "protocol version not supported"}}
	checkAmong(t, all, []fault{
		{"healthy", func(w *world) {
			w.tls[ask(imaps, true, 0x0303)] = probe.TLSAnswer{TLS: &probe.TLS{Version: "TLS 1.2"}}
		}, "", ""},
		{"T1", func(w *world) { w.shows(autoconfig, foreign) }, "T1 " + autoconfig,
			autoconfig + " shows a certificate for www.webhost.example: Outlook warns"},
		{"T1 at autodiscover", func(w *world) { w.shows("autodiscover.nordlys.example", foreign) }, "T1 autodiscover.nordlys.example", ""},
		{"a web site without settings", func(w *world) {
			w.any("nordlys.example", 404, "text/html", "Not found")
			w.shows("nordlys.example", foreign)
			for url, a := range w.pages {
				if strings.HasSuffix(url, "https://nordlys.example") {
					a.TLS = &probe.TLS{Version: "TLS 1.3", Names: []string{"www.webhost.example"},
						Problems: []probe.Problem{probe.WrongName}}
					w.pages[url] = a
				}
			}
		}, "", ""},
		{"T2", func(w *world) { w.shows(autoconfig, ended) }, "T2 " + autoconfig,
			"The certificate of autoconfig.nordlys.example ended on 20 November 2026."},
		{"T2 not yet", func(w *world) {
			w.certificate(imaps, func(t *probe.TLS) {
				t.Start, t.Problems = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), []probe.Problem{probe.NotYetValid}
			})
		}, "T2 imap.hoster.example", "The certificate of imap.hoster.example is valid only from 1 December 2026 on."},
		{"T3", func(w *world) { w.shows(autoconfig, has(probe.IncompleteChain)) }, "T3 " + autoconfig,
			"The chain of autoconfig.nordlys.example is incomplete"},
		{"T3 of mail, on one port", func(w *world) { w.certificate(submissions, has(probe.IncompleteChain)) }, "T3 smtp.hoster.example",
			"The chain of 465 of smtp.hoster.example is incomplete: the certificate of its issuer R11 is missing"},
		{"T4", func(w *world) { w.shows(autoconfig, has(probe.SelfSigned)) }, "T4 " + autoconfig,
			"autoconfig.nordlys.example signs its certificate itself"},
		{"T4 with everything", func(w *world) {
			w.certificate(imaps, has(probe.WrongName, probe.Expired, probe.UnknownIssuer))
		}, "T4 imap.hoster.example", "The certificate of imap.hoster.example is signed by R11, which no client trusts"},
		{"T5", func(w *world) {
			w.shows(autoconfig,
				func(t *probe.TLS) { t.Version, t.Problems = "TLS 1.1", []probe.Problem{probe.OldVersion} })
		}, "T5 " + autoconfig, "autoconfig.nordlys.example speaks TLS 1.1 at most: today's clients need 1.2."},
		{"T5 no handshake", func(w *world) {
			w.fails(probe.BadTLS, imaps)
		}, "T5 imap.hoster.example", "993 of imap.hoster.example: tls."},
		{"T5 1.3 only", func(w *world) {
			w.tls[ask(imaps, true, 0x0303)], w.tls[ask(imaps, false, 0x0303)] = refused, refused
			w.tls[ask(imaps, true, 0)] = probe.TLSAnswer{TLS: &probe.TLS{Version: "TLS 1.3"}}
		}, "T5 imap.hoster.example", "993 of imap.hoster.example speaks TLS 1.3 only"},
		{"T5 no TLS at the web server", func(w *world) {
			w.each(autoconfig, func(a *probe.WebAnswer) {
				if a.TLS != nil {
					*a = probe.WebAnswer{Failure: refused.Failure}
				}
			})
		}, "T5 " + autoconfig, "443 of autoconfig.nordlys.example: protocol version not supported."},
		{"T7", func(w *world) {
			w.told("imap.hoster.example", "imap.nordlys.example")
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.nordlys.example.")
			w.record("imap.nordlys.example", "A", "198.51.100.25")
			w.certificate(ownName(imaps), func(t *probe.TLS) {
				t.Names, t.Problems = []string{"*.hoster.example", "imap.hoster.example"},
					[]probe.Problem{probe.WrongName}
			})
		}, "T7 imap.nordlys.example",
			"imap.nordlys.example shows a certificate for *.hoster.example and imap.hoster.example"},
		{"T8", func(w *world) { w.certificate(submissions, ended) }, "T8 smtp.hoster.example",
			"465 of smtp.hoster.example still shows the certificate that ended on 20 November 2026; 587 has the new one."},
		{"T2 on both ports", func(w *world) { w.certificate(submissions, ended); w.certificate(submission, ended) },
			"T2 smtp.hoster.example", "The certificate of smtp.hoster.example ended"},
		{"T9", func(w *world) {
			other := probe.TLSAnswer{TLS: &probe.TLS{Version: "TLS 1.2", Names: []string{"mx.hoster.example"},
				Problems: []probe.Problem{probe.WrongName}}}
			w.tls[ask(imaps, true, 0x0303)] = other
		}, "T9 imap.hoster.example", "993 of imap.hoster.example shows a certificate for mx.hoster.example."},
		{"T9 nothing without a name", func(w *world) {
			w.tls[ask(imaps, true, 0x0303)], w.tls[ask(imaps, true, 0)] = refused, refused
			w.tls[ask(imaps, false, 0x0303)] = probe.TLSAnswer{TLS: &probe.TLS{Version: "TLS 1.2"}}
		}, "T9 imap.hoster.example", "shows no certificate"},
		{"the same on 143", func(w *world) {
			w.record("_imap._tcp.nordlys.example", "SRV", "0 1 143 imap.hoster.example.")
			w.certificate(imap, has(probe.SelfSigned))
			w.certificate(imaps, has(probe.SelfSigned))
		}, "T4 imap.hoster.example", "imap.hoster.example signs its certificate itself"},
	})
}

// TestSameServer checks that the hoster's name is the cure only if it leads to the same server.
func TestSameServer(t *testing.T) {
	for _, row := range []struct{ address, want string }{
		{"198.51.100.25", "tell clients imap.hoster.example in place of imap.nordlys.example"},
		{"198.51.100.99", "get a certificate that has the name imap.nordlys.example"},
	} {
		w := healthy()
		w.told("imap.hoster.example", "imap.nordlys.example")
		w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.nordlys.example.")
		w.record("imap.nordlys.example", "A", row.address)
		w.certificate(ownName(imaps), func(t *probe.TLS) {
			t.Names, t.Problems = []string{"imap.hoster.example"}, []probe.Problem{probe.WrongName}
		})
		found := find(t.Context(), w.caseOf(t), tlsFaults)
		if len(found) != 1 || !strings.HasPrefix(found[0].Cures[0].Text, row.want) {
			t.Errorf("at %s: found %+v, want the cure %q", row.address, found, row.want)
		}
	}
}
