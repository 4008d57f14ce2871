package finding

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
	"signpost/internal/systems"
)

// settings replaces texts in the autoconfig documents, old and new in turn.
func settings(replacements ...string) func(*world) {
	return inPages("config-v1.1.xml", replacements...)
}

// outlook replaces texts in the answers of Autodiscover.
func outlook(replacements ...string) func(*world) {
	return inPages("utodiscover.xml", replacements...)
}

func inPages(path string, replacements ...string) func(*world) {
	return func(w *world) {
		for url, a := range w.pages {
			if !strings.HasSuffix(url, path) {
				continue
			}
			text := string(a.Body)
			for i := 0; i < len(replacements); i += 2 {
				if !strings.Contains(text, replacements[i]) {
					panic("the document has no " + replacements[i])
				}
				text = strings.Replace(text, replacements[i], replacements[i+1], 1)
			}
			a.Body = []byte(text)
			w.pages[url] = a
		}
	}
}

// database puts an entry into Mozilla's database.
func database(replacements ...string) func(*world) {
	return func(w *world) {
		w.page("GET "+client.ISPDBThunderbird+"nordlys.example", 200, mailXML, strings.NewReplacer(replacements...).Replace(settingsXML))
		w.record("autoconfig.thunderbird.net", "A", "203.0.113.1")
	}
}

const (
	imapSection = `<incomingServer type="imap">`
	pop3Section = `<incomingServer type="pop3"><hostname>imap.hoster.example</hostname><port>995</port><socketType>SSL</socketType>` +
		`<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>`
	autoconfigHost = "autoconfig.nordlys.example"
	outlookHost    = "autodiscover.nordlys.example"
	addressTag     = "<username>%EMAILADDRESS%</username>"
)

// TestDocumentFaults plants each fault, and next to it what looks like it and is none.
func TestDocumentFaults(t *testing.T) {
	begin, end := strings.Index(settingsXML, "<outgoingServer"), strings.Index(settingsXML, "</emailProvider>")
	outgoing := settingsXML[begin:end]
	for _, row := range []fault{
		{"healthy", func(*world) {}, "", ""},
		{"C1 TLS on 993", outlook("<SSL>on</SSL>", "<SSL>on</SSL><Encryption>TLS</Encryption>"), "C1 " + outlookHost,
			"Line 4 of https://autodiscover.nordlys.example/autodiscover/autodiscover.xml makes Outlook wait for STARTTLS on port 993"},
		{"C1 SSL on 587", outlook("<Port>465</Port>", "<Port>587</Port>"), "C1 " + outlookHost, "begin TLS at once on port 587"},
		{"C1 SSL off", outlook("<SSL>on</SSL>", "<SSL>off</SSL>"), "C1 " + outlookHost, "speak in clear text on port 993"},
		{"Encryption overrides SSL", outlook("<Port>465</Port><SSL>on</SSL>", "<Port>587</Port><SSL>off</SSL><Encryption>TLS</Encryption>"), "", ""},
		{"Encryption Auto", outlook("<SSL>on</SSL>", "<SSL>on</SSL><Encryption>Auto</Encryption>"), "", ""},
		{"C2", settings("<socketType>SSL", "<socketType>STARTTLS"), "C2 " + autoconfigHost,
			"says STARTTLS for port 993 of imap.hoster.example, where TLS begins at once."},
		{"C2 SSL on 587", settings("<port>465</port><socketType>SSL", "<port>587</port><socketType>SSL"), "C2 " + autoconfigHost,
			"says SSL for port 587 of smtp.hoster.example, where TLS begins with STARTTLS."},
		{"the server does as the document says", func(w *world) {
			settings("<port>465</port><socketType>SSL", "<port>587</port><socketType>SSL")(w)
			q := submissions
			q.Port = 587
			w.mail[q] = probe.MailAnswer{Greeting: "ready", TLS: &probe.TLS{}}
		}, "", ""},
		{"an unusual port", func(w *world) {
			settings("<port>993</port><socketType>SSL", "<port>1993</port><socketType>STARTTLS")(w)
		}, "", ""},
		{"C3", settings("<socketType>SSL", "<socketType>TLS"), "C3 " + autoconfigHost, `has the socketType "TLS", which does not exist`},
		{"C3 case", settings("<socketType>SSL", "<socketType>ssl"), "C3 " + autoconfigHost, `has the socketType "ssl"`},
		{"C3 none", settings("<socketType>SSL</socketType>", ""), "C3 " + autoconfigHost, "is a server without socketType"},
		{"a URL-based server has none", settings(imapSection, `<incomingServer type="jmap"><url>https://jmap.hoster.example/</url>`+
			`</incomingServer>`+imapSection), "", ""},
		{"C4 spaces", settings("<socketType>SSL</", "<socketType> SSL </"), "C4 " + autoconfigHost, "has white space around the value of <socketType>"},
		{"C4 attribute", settings("<username>", `<username kind="address">`), "C4 " + autoconfigHost, "has an attribute in <username>"},
		{"C4 CDATA", settings("<port>993</port>", "<port><![CDATA[993]]></port>"), "C4 " + autoconfigHost, "has a CDATA section in <port>"},
		{"spaces in the host name are trimmed", settings("<hostname>imap.hoster.example", "<hostname> imap.hoster.example"), "", ""},
		{"authentication of the draft", settings("<authentication>", `<authentication system="sasl">SCRAM-SHA-256</authentication><authentication>`), "", ""},
		{"C5", settings(addressTag, "<username/>"), "C5 " + autoconfigHost, "has an empty user name: Thunderbird signs in as “true”."},
		{"C5 missing", settings(addressTag, ""), "C5 " + autoconfigHost, "Thunderbird signs in as “undefined”."},
		{"C5 Autodiscover", outlook("<LoginName>anna@nordlys.example</LoginName>", "<LoginName/>"), "C5 " + outlookHost, "has an empty LoginName"},
		{"a relay without a login", settings(outgoing, strings.NewReplacer("password-cleartext", "client-IP-address", addressTag, "").Replace(outgoing)), "", ""},
		{"C6 placeholder", settings(addressTag, "<username>%EMAIL%</username>"), "C6 " + autoconfigHost, "has the placeholder %EMAIL%"},
		{"C6 percent", settings(addressTag, "<username>anna%40nordlys.example</username>"), "C6 " + autoconfigHost, "has a user name with %40 in it"},
		{"a literal login", settings(addressTag, "<username>u67578</username>"), "", ""},
		{"C7", settings("</emailProvider>", `</emailProvider><emailProvider id="x.example"><domain>x.example</domain>`+imapSection+
			`</incomingServer></emailProvider>`, imapSection+"</incomingServer>", pop3Section+outgoing), "C7 " + autoconfigHost, "begins another emailProvider, of 2"},
		{"C7 customers", settings("<domain>nordlys.example</domain>", strings.Repeat("<domain>nordlys.example</domain>", 101)), "C7 " + autoconfigHost,
			"is a provider with 101 domains"},
		{"C8 id", settings(`id="hoster.example"`, `id="hoster_1.example"`), "C8 " + autoconfigHost, `has the id "hoster_1.example"`},
		{"C8 no id", settings(` id="hoster.example"`, ""), "C8 " + autoconfigHost, `has the id ""`},
		{"C8 domain", settings("<domain>nordlys", "<domain>nördlys"), "C8 " + autoconfigHost, `has the domain "nördlys.example"`},
		{"C8 no domain", settings("<domain>nordlys.example</domain>", ""), "C8 " + autoconfigHost, "without a domain"},
		{"a domain besides a good one", settings("<domain>", "<domain>nord_lys.example</domain><domain>"), "", ""},
		{"a placeholder as domain", settings("<domain>nordlys.example", "<domain>%EMAILDOMAIN%"), "", ""},
		{"C9 no outgoing", settings(outgoing, ""), "C9 " + autoconfigHost, "without an outgoing server"},
		{"C9 pop3 first", settings(imapSection, pop3Section+imapSection), "C9 " + autoconfigHost, "is a POP3 server before the IMAP server"},
		{"C9 nothing in it", settings(settingsXML[strings.Index(settingsXML, imapSection):strings.Index(settingsXML, "</emailProvider>")], ""),
			"C9 " + autoconfigHost, "without an incoming server"},
		{"pop3 after imap", settings("<outgoingServer", pop3Section+"<outgoingServer"), "", ""},
		{"two sending servers", settings("</emailProvider>", strings.NewReplacer("465", "587", "SSL", "STARTTLS").Replace(outgoing)+"</emailProvider>"), "", ""},
		{"C10", settings("password-cleartext", "OAuth2"), "C10 " + autoconfigHost, "offers OAuth2 alone for imap.hoster.example"},
		{"OAuth2 and a password", settings("<authentication>", "<authentication>OAuth2</authentication><authentication>"), "", ""},
		{"OAuth2 of a known provider", settings("imap.hoster.example", "imap.gmail.com", "password-cleartext", "OAuth2"),
			"C14 imap.gmail.com", ""}, // the world has no Gmail
		{"C11", settings("</domain>", ""), "C11 " + autoconfigHost, "breaks the rules of XML"},
		{"C11 blank line first", func(w *world) {
			w.each(autoconfigHost,
				func(a *probe.WebAnswer) { a.Body = append([]byte("\n<?xml version=\"1.0\"?>"), a.Body...) })
		},
			"C11 " + autoconfigHost, "something stands before the XML declaration"},
		{"C11 prefix", settings("<clientConfig", "<x:clientConfig", "</clientConfig", "</x:clientConfig"), "C11 " + autoconfigHost, "begins with <x:clientConfig>"},
		{"C11 cut", func(w *world) { w.each(autoconfigHost, func(a *probe.WebAnswer) { a.Body = a.Body[:300] }) }, "C11 " + autoconfigHost, "breaks the rules"},
		{"C11 entity", settings("<displayName>Hoster", "<displayName>Hoster&nbsp;1"), "C11 " + autoconfigHost, "&nbsp; is known in HTML only"},
		{"C11 Latin 1", settings(`<?xml version="1.0"?>`, `<?xml version="1.0" encoding="ISO-8859-1"?>`), "C11 " + autoconfigHost, "is in iso-8859-1, and some clients, such as aerc, read UTF-8 alone"},
		{"C11 Autodiscover", outlook("</Account>", ""), "C11 " + outlookHost, "https://autodiscover.nordlys.example"},
		{"an entity of XML", settings("<displayName>Hoster", "<displayName>Hoster &amp; S&#xF6;hne"), "", ""},
		{"C12 http", mobileSync("http://hoster.example/Microsoft-Server-ActiveSync"), "C12 nordlys.example", "sends phones to http://hoster.example"},
		{"C12 foreign", mobileSync("https://stranger.example/Microsoft-Server-ActiveSync"), "C12 nordlys.example", "sends phones to stranger.example"},
		{"ActiveSync at the mail provider", mobileSync("https://sync.hoster.example/Microsoft-Server-ActiveSync"), "", ""},
		{"C13", outlook("<LoginName>anna@nordlys.example</LoginName>", ""), "C13 " + outlookHost, "is a Protocol IMAP without LoginName"},
		{"C14 inside", settings("imap.hoster.example", "mail.hoster.local"), "C14 mail.hoster.local", "a name that is known inside a network only"},
		{"C14 address", settings("imap.hoster.example", "10.0.0.5"), "C14 10.0.0.5", "an address of an internal network"},
		{"C14 unknown", func(w *world) { w.remove("imap.hoster.example") }, "C14 imap.hoster.example", "which DNS does not know"},
		{"C15 moved", database("hoster.example", "former.example"), "C15", "but the domain itself names imap.hoster.example and smtp.hoster.example."},
		{"C15 dead", func(w *world) {
			database("hoster.example", "former.example")(w)
			withoutDocuments(w)
			database("hoster.example", "former.example")(w)
			for _, label := range []string{"_imaps", "_submissions", "_submission"} {
				w.record(label+"._tcp.nordlys.example", "SRV")
			}
		}, "C15", "where nothing answers"},
		{"an entry that says the same", database(), "", ""},
		{"C16", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap2.hoster.example.")
			w.record("imap2.hoster.example", "A", "198.51.100.26")
		}, "C16", "For IMAP, autoconfig says imap.hoster.example, Autodiscover says imap.hoster.example, DNS says imap2.hoster.example."},
		{"SRV with one more", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.hoster.example.",
				"10 1 993 imap2.hoster.example.")
			w.record("imap2.hoster.example", "A", "198.51.100.26")
		}, "", ""},
		{"C17", phones(200, outlookXML+toPhones), "C17 " + outlookHost, "answers phones as it answers Outlook"},
		{"C17 400", phones(400, "Bad Request"), "C17 " + outlookHost, "malformed (400)"},
		{"phones get 404", phones(404, "Not found"), "", ""},
		{"C18", settings("<port>993</port>", "<port>993</port><password>geheim</password>"), "C18 " + autoconfigHost, "holds a password"},
		{"no password", settings("<port>993</port>", "<port>993</port><password/>"), "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := healthy()
			row.change(w)
			var got, sentences []string
			for _, f := range find(t.Context(), w.caseOf(t), documentFaults) {
				got = append(got, strings.TrimSpace(f.ID+" "+f.Subject))
				sentences = append(sentences, f.Sentence)
				if len(f.Evidence) == 0 || len(f.Cures) == 0 {
					t.Errorf("%s lacks evidence or cure: %+v", f.ID, f)
				}
				for _, e := range f.Evidence {
					if strings.Contains(e.Text, "geheim") {
						t.Errorf("%s shows the password: %q", f.ID, e.Text)
					}
				}
			}
			all := strings.Join(sentences, "\n")
			if strings.Join(got, ", ") != row.want || !strings.Contains(all, row.says) {
				t.Errorf("found %q, which says\n%s\nwant %q, which says %q",
					strings.Join(got, ", "), all, row.want, row.says)
			}
		})
	}
}

// mobileSync lets Autodiscover at the domain tell phones a URL.
func mobileSync(url string) func(*world) {
	return func(w *world) {
		w.page("POST https"+apexPOX, 200, mailXML, `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/`+
			`autodiscover/responseschema/2006"><Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/`+
			`responseschema/2006"><Action><Settings><Server><Type>MobileSync</Type><Url>`+url+`</Url></Server></Settings></Action>`+
			`</Response></Autodiscover>`)
	}
}

// phones sets the answer to all questions of Autodiscover, so that phones get it, too.
func phones(status int, body string) func(*world) {
	return func(w *world) {
		for _, path := range []string{"/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"} {
			for _, scheme := range []string{"https", "http"} {
				w.page("POST "+scheme+"://"+outlookHost+path, status, mailXML, body)
			}
		}
	}
}

// TestCuresOfDocuments: a document that is served as the cure says has the fault no more.
func TestCuresOfDocuments(t *testing.T) {
	for name, change := range map[string]func(*world){
		"C1": outlook("<SSL>on</SSL>", "<SSL>on</SSL><Encryption>TLS</Encryption>"),
		"C2": settings("<socketType>SSL", "<socketType>STARTTLS"),
		"C3": settings("<socketType>SSL", "<socketType>TLS"), "C4": settings("<socketType>SSL</", "<socketType> SSL </"),
		"C5": settings(addressTag, "<username/>"), "C6": settings(addressTag, "<username>%EMAIL%</username>"),
		"C8":  settings("<domain>nordlys", "<domain>nördlys"),
		"C10": settings("password-cleartext", "OAuth2", "password-cleartext", "OAuth2"),
		"C18": settings("<port>993</port>", "<port>993</port><password>geheim</password>"),
	} {
		w := healthy()
		change(w)
		found := find(t.Context(), w.caseOf(t), documentFaults)
		if len(found) == 0 || found[0].ID != name {
			t.Errorf("%s is not found", name)
			continue
		}
		for url, a := range w.pages {
			for _, f := range found {
				a = f.Cures[0].Serve(probe.WebQuestion{}, a)
			}
			w.pages[url] = a
		}
		for _, f := range find(t.Context(), w.caseOf(t), documentFaults) {
			t.Errorf("after the cure of %s, %s is found: %s", name, f.ID, f.Sentence)
		}
	}
}

// TestOwnDocuments: what Signpost serves for the example systems has no fault.
func TestOwnDocuments(t *testing.T) {
	documents := 0
	for _, system := range systems.All(t) {
		resolve := system.Directory.Resolve
		service := http.NewServeMux()
		service.Handle("/mail/config-v1.1.xml", autoconfig.Handler(resolve))
		service.Handle("/.well-known/autoconfig/mail/config-v1.1.xml", autoconfig.Handler(resolve))
		service.Handle("/autodiscover/autodiscover.xml", autodiscover.XMLHandler(resolve, false))
		service.Handle("/.well-known/user-agent-configuration.json", autoconfig.PACCHandler(resolve))
		for _, address := range system.Addresses() {
			settings := system.Settings(t, address, "")
			w := &served{service, "mx." + address.Domain()}
			if mail, ok := settings.First(account.IMAP); ok {
				w.mx = "mx." + dns.Registrable(account.Expand(mail.Hostname, address))
			} else if phone, ok := settings.First(account.ActiveSync); ok {
				if u, err := url.Parse(account.Expand(phone.URL, address)); err == nil {
					w.mx = "mx." + dns.Registrable(u.Hostname())
				}
			}
			c := caseFor(t, w, address)
			documents += len(c.Documents())
			for _, f := range find(t.Context(), c, documentFaults) {
				t.Errorf("%s, %s: %s: %s", system.Name, address, f.ID, f.Sentence)
			}
		}
	}
	if documents < 20 {
		t.Errorf("%d documents were looked at, want at least 20", documents)
	}
}

// served is a world in which a handler answers all web requests and every host has an address.
type served struct {
	handler http.Handler
	mx      string
}

func (w *served) DNS(_ context.Context, q probe.DNSQuestion) (a probe.DNSAnswer) {
	switch data := map[string]string{"A": "198.51.100.25", "MX": "10 " + w.mx + "."}[q.Type]; data {
	case "":
		a.Status = dns.NoData
	default:
		a.Records = []dns.Record{{Name: q.Name, Type: q.Type, Data: data}}
	}
	return a
}

func (w *served) Web(_ context.Context, q probe.WebQuestion) probe.WebAnswer {
	request := httptest.NewRequest(q.Method, q.URL, strings.NewReader(q.Body))
	request.Header.Set("Content-Type", q.ContentType)
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, request)
	return probe.WebAnswer{Status: recorder.Code, Body: recorder.Body.Bytes(),
		Header: map[string]string{"Content-Type": recorder.Header().Get("Content-Type")}}
}

func (w *served) Mail(context.Context, probe.MailQuestion) probe.MailAnswer {
	return probe.MailAnswer{Failure: notAsked}
}

func (w *served) TLS(context.Context, probe.TLSQuestion) probe.TLSAnswer {
	return probe.TLSAnswer{Failure: notAsked}
}
