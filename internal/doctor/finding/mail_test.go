package finding

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// What Dovecot 2.3.19 and Postfix 3.7.11 say, as recorded.
var (
	dovecotClear = strings.Fields("IMAP4REV1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS LOGINDISABLED")
	dovecotTLS   = strings.Fields("IMAP4REV1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=LOGIN")
	postfixClear = []string{"PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "STARTTLS", "ENHANCEDSTATUSCODES",
		"8BITMIME", "DSN", "CHUNKING"}
	postfixTLS = []string{"PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES",
		"8BITMIME", "DSN", "CHUNKING"}
)

// recorded returns what a healthy Dovecot or Postfix says.
func recorded(q probe.MailQuestion) probe.MailAnswer {
	a := probe.MailAnswer{Address: netip.MustParseAddr("198.51.100.25"), Connected: 10 * time.Millisecond,
		GreetedAt: 40 * time.Millisecond, Took: 90 * time.Millisecond}
	before, after := dovecotClear, dovecotTLS
	a.Greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot (Debian) ready."
	if q.Type == account.SMTP {
		before, after = postfixClear, postfixTLS
		a.Greeting = "220 mail.hoster.example ESMTP Postfix (Debian/GNU)"
	}
	if q.SocketType != account.SSL {
		a.Before = before
	}
	if q.SocketType != account.Plain {
		a.After = after
		a.TLS = &probe.TLS{Version: "TLS 1.3", Names: []string{q.Host}, Issuer: "R11", Chain: 2,
			Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC)}
	}
	return a
}

// says changes the answer of a mail server; it is a healthy one before.
func (w *world) says(q probe.MailQuestion, change func(a *probe.MailAnswer)) {
	a, ok := w.mail[q]
	if !ok {
		a = recorded(q)
	}
	if a.TLS != nil {
		copied := *a.TLS
		a.TLS = &copied
	}
	change(&a)
	w.mail[q] = a
}

// fails lets a connection end in a failure before anything is said.
func (w *world) fails(kind probe.FailureKind, questions ...probe.MailQuestion) {
	for _, q := range questions {
		w.mail[q] = probe.MailAnswer{Failure: &probe.Failure{Kind: kind, Text: string(kind)}}
	}
}

// told replaces a text in all documents.
func (w *world) told(from, to string) {
	for url, a := range w.pages {
		a.Body = []byte(strings.ReplaceAll(string(a.Body), from, to))
		w.pages[url] = a
	}
}

// guessed is a domain that has nothing but servers with the usual names.
func guessed(w *world) {
	withoutDocuments(w)
	for q := range w.records {
		if strings.HasPrefix(q.Name, "_") {
			delete(w.records, q)
		}
	}
	w.mail = map[probe.MailQuestion]probe.MailAnswer{}
	for _, name := range []string{"imap.nordlys.example", "smtp.nordlys.example"} {
		w.record(name, "A", "198.51.100.25")
	}
	for _, q := range []probe.MailQuestion{imaps, submissions, submission} {
		w.mail[ownName(q)] = recorded(ownName(q))
	}
}

// ownName returns the question to the server with the usual name below the domain.
func ownName(q probe.MailQuestion) probe.MailQuestion {
	q.Host = strings.Replace(q.Host, "hoster.example", "nordlys.example", 1)
	return q
}

func TestMailFaults(t *testing.T) {
	imap := probe.MailQuestion{Type: account.IMAP, Host: "imap.hoster.example", Port: 143, SocketType: account.STARTTLS}
	plain := imap
	plain.SocketType = account.Plain
	all := slices.Concat(dnsFaults, webFaults, tlsFaults, mailFaults)
	capabilities := func(text string) func(*probe.MailAnswer) {
		return func(a *probe.MailAnswer) { a.After = strings.Split(text, ",") }
	}
	checkAmong(t, all, []fault{
		{"healthy", func(w *world) {}, "", ""},
		{"healthy with 143", func(w *world) {
			w.record("_imap._tcp.nordlys.example", "SRV", "0 1 143 imap.hoster.example.")
			w.says(imap, func(*probe.MailAnswer) {})
		}, "", ""},
		{"M1", func(w *world) { w.fails(probe.Refused, submissions, submission) }, "M1 smtp.hoster.example",
			"465 and 587 of smtp.hoster.example refuse the connection."},
		{"M1 of one port", func(w *world) { w.fails(probe.TimedOut, submissions) }, "M1 smtp.hoster.example",
			"465 of smtp.hoster.example does not answer within 5 s."},
		{"M1 in two ways", func(w *world) { w.fails(probe.TimedOut, submissions); w.fails(probe.Refused, submission) },
			"M1 smtp.hoster.example", "465 of smtp.hoster.example does not answer within 5 s and 587 of smtp.hoster.example refuses"},
		{"M1 silent", func(w *world) {
			w.mail[imaps] = probe.MailAnswer{Connected: 1, TLS: recorded(imaps).TLS,
				Failure: &probe.Failure{Kind: probe.TimedOut, Text: "no greeting"}}
		}, "M1 imap.hoster.example", "993 of imap.hoster.example accepts the connection and stays silent for 14 s."},
		{"M1 closed at once", func(w *world) { w.fails(probe.Closed, imaps) }, "M1 imap.hoster.example",
			"993 of imap.hoster.example ends the connection before it has said anything."},
		{"not known", func(w *world) { w.fails(probe.NotAsked, imaps, submissions, submission) }, "", ""},
		{"M2", func(w *world) {
			w.says(submission, func(a *probe.MailAnswer) { a.Before, a.After, a.TLS = postfixTLS, nil, nil })
		}, "M2 smtp.hoster.example", "587 of smtp.hoster.example offers no STARTTLS"},
		{"M2 refused", func(w *world) {
			w.says(submission, func(a *probe.MailAnswer) {
				a.After, a.TLS = nil, nil
				a.Failure = &probe.Failure{Kind: probe.TLSRefused,
					Text: "offers TLS and refuses to begin it: '454 4.7.0 TLS not available'"}
			})
		}, "M2 smtp.hoster.example", "587 of smtp.hoster.example offers TLS and refuses to begin it"},
		{"M3", func(w *world) {
			w.says(submissions, func(a *probe.MailAnswer) {
				a.After, a.TLS = nil, nil
				a.Failure = &probe.Failure{Kind: probe.BadTLS,
					Text: "speaks clear text where TLS is expected: " + a.Greeting}
			})
		}, "M3 smtp.hoster.example", "465 of smtp.hoster.example starts in clear text"},
		{"M3 the other way", func(w *world) {
			w.says(submission, func(a *probe.MailAnswer) {
				a.Before, a.After, a.Greeting, a.GreetedAt = nil, nil, "", 0
				a.Failure = &probe.Failure{Kind: probe.TimedOut, Text: "silent until TLS begins"}
			})
		}, "M3 smtp.hoster.example", "587 of smtp.hoster.example expects TLS from the first byte"},
		{"the document's fault", func(w *world) { // C2
			w.told("<port>993</port><socketType>SSL", "<port>993</port><socketType>STARTTLS")
			q := imaps
			q.SocketType = account.STARTTLS
			w.says(q, func(a *probe.MailAnswer) {
				a.Before, a.After, a.Greeting, a.GreetedAt = nil, nil, "", 0
				a.Failure = &probe.Failure{Kind: probe.TimedOut, Text: "silent until TLS begins"}
			})
		}, "", ""},
		{"M4", func(w *world) {
			w.says(submission, capabilities("PIPELINING,SIZE 10240000,8BITMIME"))
			w.says(submissions, capabilities("PIPELINING,SIZE 10240000,8BITMIME"))
		}, "M4 smtp.hoster.example", "465 and 587 of smtp.hoster.example offer no login"},
		{"M4 after STARTTLS", func(w *world) { w.says(submission, capabilities("PIPELINING,SIZE 10240000,8BITMIME")) },
			"M4 smtp.hoster.example", "587 of smtp.hoster.example offers no login, not even after STARTTLS: nobody can send there."},
		{"a relay without login", func(w *world) {
			w.remove("_submissions._tcp.nordlys.example", "_submission._tcp.nordlys.example")
			for url := range w.pages {
				if !strings.HasPrefix(url, "GET") {
					delete(w.pages, url)
				}
			}
			w.told("<hostname>smtp.hoster.example</hostname><port>465</port><socketType>SSL</socketType>\n<authentication>password-cleartext",
				"<hostname>smtp.hoster.example</hostname><port>465</port><socketType>SSL</socketType>\n<authentication>none")
			w.says(submissions, capabilities("8BITMIME"))
		}, "", ""},
		{"M5", func(w *world) {
			w.told("<port>993</port><socketType>SSL", "<port>143</port><socketType>plain")
			w.says(plain, func(*probe.MailAnswer) {})
		}, "M5 imap.hoster.example",
			"143 of imap.hoster.example offers a login only after STARTTLS, but clients are told plain."},
		{"plain that works", func(w *world) {
			w.told("<port>993</port><socketType>SSL", "<port>143</port><socketType>plain")
			w.says(plain, func(a *probe.MailAnswer) { a.Before = append([]string{"STARTTLS"}, dovecotTLS...) })
		}, "", ""},
		{"M6", func(w *world) { w.says(imaps, capabilities("IMAP4REV1,LOGINDISABLED,AUTH=CRAM-MD5,AUTH=GSSAPI")) },
			"M6 imap.hoster.example", "993 of imap.hoster.example offers no login with the password itself, only CRAM-MD5 and GSSAPI"},
		{"M6 nothing at all", func(w *world) { w.says(imaps, capabilities("IMAP4REV1,LOGINDISABLED")) },
			"M6 imap.hoster.example", "993 of imap.hoster.example offers no login at all"},
		{"M6 sending", func(w *world) { w.says(submissions, capabilities("AUTH CRAM-MD5")) }, "M6 smtp.hoster.example", "only CRAM-MD5"},
		{"CRAM-MD5 as announced", func(w *world) {
			w.told("password-cleartext", "password-encrypted")
			w.says(imaps, capabilities("IMAP4REV1,LOGINDISABLED,AUTH=CRAM-MD5"))
		}, "", ""},
		{"LOGIN without AUTH=", func(w *world) { w.says(imaps, capabilities("IMAP4REV1,IDLE")) }, "", ""},
		{"as Google", func(w *world) {
			w.says(imaps, capabilities("IMAP4REV1,UNSELECT,SASL-IR,AUTH=XOAUTH2,AUTH=PLAIN,AUTH=PLAIN-CLIENTTOKEN,AUTH=OAUTHBEARER"))
			w.says(submissions,
				capabilities("SIZE 35882577,AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH"))
			w.says(submission,
				capabilities("SIZE 35882577,AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH"))
		}, "", ""},
		{"as Microsoft", func(w *world) {
			w.says(imaps, capabilities("IMAP4,IMAP4REV1,AUTH=PLAIN,AUTH=XOAUTH2,SASL-IR,UIDPLUS"))
			w.says(submission, capabilities("SIZE 157286400,PIPELINING,DSN,AUTH LOGIN XOAUTH2"))
		}, "", ""},
		{"a web page's sign-in only", func(w *world) { w.says(imaps, capabilities("IMAP4REV1,LOGINDISABLED,AUTH=XOAUTH2")) }, "", ""},
		{"M7 8 s", func(w *world) { w.says(submission, func(a *probe.MailAnswer) { a.GreetedAt = 8 * time.Second }) },
			"M7 smtp.hoster.example", "587 of smtp.hoster.example greets only after 8 s: Nextcloud's test of the port gives up after 5 s"},
		{"M7 13 s", func(w *world) {
			for _, q := range []probe.MailQuestion{submission, submissions} {
				w.says(q, func(a *probe.MailAnswer) { a.GreetedAt = 13 * time.Second })
			}
		}, "M7 smtp.hoster.example",
			"465 and 587 of smtp.hoster.example greet only after 13 s: Thunderbird's search gives up after 10 s."},
		{"M7 never", func(w *world) {
			w.mail[submission] = probe.MailAnswer{Connected: 1, Greeting: "220-mail ESMTP",
				Failure: &probe.Failure{Kind: probe.TimedOut, Text: "no answer in time"}}
		}, "M7 smtp.hoster.example", "587 of smtp.hoster.example greets only after more than 14 s"},
		{"4 s", func(w *world) { w.says(submission, func(a *probe.MailAnswer) { a.GreetedAt = 4 * time.Second }) }, "", ""},
		{"M8 banned", func(w *world) {
			w.record("_imap._tcp.nordlys.example", "SRV", "0 1 993 imap.hoster.example.")
			q := imaps
			q.SocketType = account.STARTTLS
			w.mail[q] = probe.MailAnswer{Address: recorded(q).Address,
				Failure: &probe.Failure{Kind: probe.Refused, Text: "refused"}}
		}, "M8 imap.hoster.example", "993 of imap.hoster.example answered once and then no more"},
		{"M8 turned away", func(w *world) {
			w.mail[submission] = probe.MailAnswer{Connected: 1,
				Greeting: "421 4.7.0 too many connections", GreetedAt: 1,
				Failure: &probe.Failure{Kind: probe.Closed, Text: "turns the client away: '421 4.7.0 too many connections'"}}
		}, "M8 smtp.hoster.example", "587 of smtp.hoster.example greets and turns the client away"},
		{"M9", func(w *world) {
			w.remove("_submissions._tcp.nordlys.example", "_submission._tcp.nordlys.example")
			w.told("<port>465</port><socketType>SSL", "<port>25</port><socketType>STARTTLS")
			w.told("<Port>465</Port><SSL>on</SSL>", "<Port>25</Port><SSL>off</SSL>")
			for _, s := range []account.SocketType{account.STARTTLS, account.Plain} {
				w.fails(probe.Forbidden,
					probe.MailQuestion{Type: account.SMTP, Host: "smtp.hoster.example", Port: 25, SocketType: s})
			}
		}, "M9 smtp.hoster.example", "Port 25 of smtp.hoster.example is the only one for sending"},
		{"M10", func(w *world) {
			w.mail[imaps] = probe.MailAnswer{Connected: 1, Greeting: "HTTP/1.1 400 Bad Request", GreetedAt: 1,
				Failure: &probe.Failure{Kind: probe.BadTLS, Text: "speaks clear text where TLS is expected: HTTP/1.1 400 Bad Request"}}
		}, "M10 imap.hoster.example",
			"993 of imap.hoster.example answers 'HTTP/1.1 400 Bad Request': that is a web server."},
		{"M10 inside TLS", func(w *world) {
			w.says(imaps, func(a *probe.MailAnswer) {
				a.After = nil
				a.Failure = &probe.Failure{Kind: probe.BadProtocol,
					Text: "answers 'HTTP/1.1 400 Bad Request': that is a web server"}
			})
		}, "M10 imap.hoster.example",
			"993 of imap.hoster.example answers 'HTTP/1.1 400 Bad Request': that is a web server."},
	})
}

// TestGuessedServers holds that servers that only clients guess are at fault if the domain has no
// others, and that hosts which merely have a usual name need not be servers.
func TestGuessedServers(t *testing.T) {
	all := slices.Concat(tlsFaults, mailFaults)
	mail := func(q probe.MailQuestion) probe.MailQuestion {
		q = ownName(q)
		q.Host = "mail.nordlys.example"
		return q
	}
	checkAmong(t, all, []fault{
		{"healthy", guessed, "", ""},
		{"M1", func(w *world) { guessed(w); w.fails(probe.Refused, ownName(submissions), ownName(submission)) },
			"M1 smtp.nordlys.example", "465 and 587 of smtp.nordlys.example refuse the connection."},
		{"one of two", func(w *world) { guessed(w); w.fails(probe.Refused, ownName(submissions)) }, "", ""},
		{"M2", func(w *world) {
			guessed(w)
			w.fails(probe.Refused, ownName(submissions))
			w.says(ownName(submission), func(a *probe.MailAnswer) { a.Before, a.After, a.TLS = postfixTLS, nil, nil })
		}, "M2 smtp.nordlys.example", "offers no STARTTLS"},
		{"M7", func(w *world) {
			guessed(w)
			w.says(ownName(submission), func(a *probe.MailAnswer) { a.GreetedAt = 13 * time.Second })
		}, "M7 smtp.nordlys.example", ""},
		{"T7", func(w *world) {
			guessed(w)
			w.certificate(ownName(imaps), func(a *probe.TLS) { a.Problems = []probe.Problem{probe.WrongName} })
		},
			"T7 imap.nordlys.example", ""},
		{"a web server at all names", func(w *world) {
			guessed(w)
			for _, q := range []probe.MailQuestion{ownName(imaps), ownName(submissions), ownName(submission),
				mail(imaps), mail(submission)} {
				w.fails(probe.Refused, q)
			}
		}, "", ""},
		{"bad guesses beside announced servers", func(w *world) {
			w.fails(probe.Refused, ownName(imaps), ownName(submission))
			w.certificate(mail(imaps), func(a *probe.TLS) { a.Problems = []probe.Problem{probe.WrongName} })
			w.says(mail(submission), func(a *probe.MailAnswer) { a.Before, a.After, a.TLS = postfixTLS, nil, nil })
		}, "", ""},
	})
}

// TestMailHits holds that a finding hits the clients that tried the server in vain.
func TestMailHits(t *testing.T) {
	w := healthy()
	w.fails(probe.Refused, submissions)
	c := w.caseOf(t)
	c.Clients = []client.Client{{ID: "patient"}, {ID: "stuck"}, {ID: "elsewhere"}}
	c.Forecasts = map[string]client.Forecast{
		"patient":   {Outcome: client.SetsUp, Steps: []client.Step{{Key: submissions.Key(), Verdict: client.Passed}}},
		"stuck":     {Outcome: client.SetsUpBut, But: "cannot send", Steps: []client.Step{{Key: submissions.Key(), Verdict: client.Spoilt}}},
		"elsewhere": {Outcome: client.SetsUp, Steps: []client.Step{{Key: submission.Key(), Verdict: client.Took}}},
	}
	if got, want := summary(find(t.Context(), c, mailFaults)), "error M1 smtp.hoster.example stuck"; got != want {
		t.Errorf("find = %q, want %q", got, want)
	}
}
