package server_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/idna"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/server"
)

// mailboxKinds are local parts of eight letters, so that answers have the same length,
// with what the configuration says of them. That of "nobody00" is nothing.
var mailboxKinds = []struct{ name, local, alias string }{
	{"another that is not listed", "nobody11", ""},
	{"a mailbox", "karin000", ""},
	{"an inactive mailbox", "gammal00", ""},
	{"an alias", "alias000", "karin000@berga.example"},
	{"an inactive alias", "alias001", "karin000@berga.example"},
	{"an alias of an inactive mailbox", "alias002", "gammal00@berga.example"},
	{"an alias of a mailbox that is not listed", "alias003", "nobody22@berga.example"},
	{"an alias by the other name of the domain", "alias004", "karin000@bergakommun.example"},
	{"an alias in another hosted domain", "alias005", "karin000@other.example"},
	{"an alias in a domain found by MX", "alias006", "karin000@bymx.example"},
	{"an alias in a domain whose MX cannot be known", "alias007", "karin000@broken.example"},
	{"an alias in a foreign domain", "alias008", "karin000@foreign.example"},
}

// oracleDomains are the hosted domains in which mailboxKinds exist: an ordinary one and
// its other name, one with letters outside ASCII in both spellings, one by its MX, and one
// whose MX cannot be known now.
var oracleDomains = []string{"berga.example", "bergakommun.example", "bärga.example", "xn--brga-loa.example",
	"bymx.example", "broken.example"}

// oracle returns a service in which all mailboxes have the ordinary product, and counts
// its look-ups of MX records.
func oracle(t testing.TB, lookups *int) http.Handler {
	t.Helper()
	address := func(text string) account.Address {
		a, err := account.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	provider := &account.Provider{ID: "ordinary", DisplayName: "Mail", DisplayShortName: "Mail", Servers: []account.Server{
		{Type: account.ActiveSync, URL: "https://mail.hoster.example/Microsoft-Server-ActiveSync",
			Login:          account.Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "hosting01"},
			Authentication: []account.Authentication{account.PasswordCleartext}},
		{Type: account.IMAP, Hostname: "imap.%EMAILDOMAIN%", Port: 993, SocketType: account.SSL,
			Login:          account.Login{Username: account.EmailAddress},
			Authentication: []account.Authentication{account.PasswordCleartext}},
		{Type: account.SMTP, Hostname: "smtp.hoster.example", Port: 465, SocketType: account.SSL,
			Login:          account.Login{Username: account.EmailAddress},
			Authentication: []account.Authentication{account.PasswordCleartext}},
		{Type: account.EWS, URL: "https://mail.hoster.example/EWS/Exchange.asmx", ExchangeEntries: true,
			Login: account.Login{Username: account.EmailAddress}, Authentication: []account.Authentication{account.NTLM}},
		{Type: account.CalDAV, URL: "https://dav.%EMAILDOMAIN%/", Login: account.Login{Username: account.EmailAddress},
			Authentication: []account.Authentication{account.PasswordCleartext}},
	}}
	list := directory.List{}
	for _, domain := range oracleDomains {
		for _, kind := range mailboxKinds[1:] {
			record := directory.Record{Inactive: strings.Contains(kind.name, "inactive"), DisplayName: "Karin Ek"}
			if kind.alias != "" {
				record.Alias = address(kind.alias)
			}
			list[address(kind.local+"@"+domain).Key()] = record
		}
	}
	mx := func(_ context.Context, domain string) ([]dns.MX, error) {
		*lookups++
		switch domain {
		case "bymx.example":
			return []dns.MX{{Host: "mx.hoster.example"}}, nil
		case "broken.example":
			return nil, context.DeadlineExceeded
		}
		return nil, nil
	}
	return server.Handler(optionsFor(directory.New([]directory.Provider{{Provider: provider,
		Domains: []string{"berga.example", "bergakommun.example", "xn--brga-loa.example", "other.example"},
		Aliases: map[string]string{"bergakommun.example": "berga.example"}, MX: []string{"mx.hoster.example"},
	}}, []directory.List{list}, mx), io.Discard))
}

// oracleQuestions are ways to ask beside those of the example systems.
func oracleQuestions() []question {
	page := func(name, format string, headers ...string) question {
		return question{name, func(address, _ string) *http.Request {
			r := request("GET", "setup.mamutmail.com", "/?emailaddress="+url.QueryEscape(address)+format, "")
			for i := 0; i+1 < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			return r
		}}
	}
	all := slices.Concat(questions, []question{
		page("the page", ""),
		page("the page for a phone", "&device=iphone&name=Karin+Ek&lang=sv"),
		page("the page as text", "&format=text"),
		{"the well-known path", func(address, domain string) *http.Request {
			return request("GET", domain,
				"/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress="+url.QueryEscape(address), "")
		}},
		{"autoconfig below the hoster", func(address, domain string) *http.Request {
			return request("GET", "autoconfig.hoster.example",
				"/v1.1/"+domain+"?emailaddress="+url.QueryEscape(address), "")
		}},
		{"Evolution's sum", func(address, domain string) *http.Request {
			sum := md5.Sum([]byte(strings.ToLower(address)))
			return request("GET", "autoconfig."+domain, "/mail/config-v1.1.xml?emailaddress=EVOLUTIONUSER%40"+
				url.QueryEscape(domain)+"&emailmd5="+hex.EncodeToString(sum[:]), "")
		}},
		{"EWS by JSON", func(address, domain string) *http.Request {
			return request("GET", "autodiscover."+domain,
				"/autodiscover/autodiscover.json?Email="+url.QueryEscape(address)+"&Protocol=EWS", "")
		}},
		{"an unknown protocol by JSON", func(address, domain string) *http.Request {
			return request("GET", "autodiscover."+domain,
				"/autodiscover/autodiscover.json/v1.0/"+url.PathEscape(address)+"?Protocol=X", "")
		}},
		{"Outlook at the domain itself", func(address, domain string) *http.Request {
			return request("POST", domain, "/autodiscover/autodiscover.xml", outlookRequest(xmlText(address)))
		}},
		{"Outlook by GET", func(address, domain string) *http.Request {
			return request("GET", "autodiscover."+domain,
				"/autodiscover/autodiscover.xml?Email="+url.QueryEscape(address), "")
		}},
		{"another tool's URL", func(address, domain string) *http.Request {
			return request("GET", "autoconfig."+domain, "/email.mobileconfig?email="+url.QueryEscape(address), "")
		}},
		{"another tool's form", func(address, domain string) *http.Request {
			return request("POST", domain, "/mobileconfig", "cn=Karin&emailaddress="+url.QueryEscape(address))
		}},
		{"a profile of mail only", func(address, _ string) *http.Request {
			return request("GET", "setup.mamutmail.com",
				"/profile.mobileconfig?only=mail&device=mac&emailaddress="+url.QueryEscape(address), "")
		}},
	})
	for _, q := range slices.Clone(all) {
		for _, method := range []string{"HEAD", "POST", "PUT"} {
			all = append(all, question{q.name + " by " + method, func(address, domain string) *http.Request {
				r := q.request(address, domain)
				r.Method = method
				return r
			}})
		}
	}
	return all
}

// ways are spellings of an address by clients and by those who try.
var ways = []struct {
	name  string
	spell func(local, domain string) string
}{
	{"as it is", func(local, domain string) string { return local + "@" + domain }},
	{"with a tag", func(local, domain string) string { return local + "+tag@" + domain }},
	{"with an empty tag", func(local, domain string) string { return local + "+@" + domain }},
	{"in capitals", func(local, domain string) string { return strings.ToUpper(local) + "@" + strings.ToUpper(domain) }},
	{"with a full stop", func(local, domain string) string { return local + "@" + domain + "." }},
}

// TestNoOracle asks in all dialects, by all methods and in all spellings about mailboxes
// of all kinds. Status, headers and length of the answer are those for an address that
// nobody has, and so is the text but for the address. None needs more look-ups in DNS.
func TestNoOracle(t *testing.T) {
	lookups := 0
	handler := oracle(t, &lookups)
	answer := func(q question, local string, spell func(local, domain string) string, domain string) (text, shape string) {
		before := lookups
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, q.request(spell(local, domain), domain))
		body := w.Body.String()
		header, length := w.Header(), len(body)
		if strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			// The QR codes have the address: their lengths and sizes are not those of another.
			header.Del("Content-Length")
			if codes.MatchString(body) {
				body, length = codes.ReplaceAllString(body, ""), 0
			}
		}
		body += header.Get("Location") // which has the address, too
		header.Del("Location")
		shape = fmt.Sprintf("%d, %d bytes, %d look-ups, %v", w.Code, length, lookups-before, header)
		body = uuids.ReplaceAllString(changing.ReplaceAllString(body, ""), "ID")
		return strings.NewReplacer(local, "LOCAL", strings.ToUpper(local), "LOCAL").Replace(body), shape
	}
	answered := 0
	for _, q := range oracleQuestions() {
		for _, domain := range oracleDomains {
			for _, way := range ways {
				wantText, wantShape := answer(q, "nobody00", way.spell, domain)
				if strings.HasPrefix(wantShape, "200") {
					answered++
				}
				for _, kind := range mailboxKinds {
					if text, shape := answer(q, kind.local, way.spell, domain); text != wantText || shape != wantShape {
						t.Errorf("%s, %s in %s, %s: the answer differs from that for nobody:\n%s\n%s\n\nnobody:\n%s\n%s",
							q.name, kind.name, domain, way.name, shape, text, wantShape, wantText)
					}
				}
			}
		}
	}
	if answered < 300 {
		t.Errorf("only %d questions were answered with 200, so the others compare little", answered)
	}
	if ascii, err := idna.Lookup.ToASCII("bärga.example"); err != nil || ascii != "xn--brga-loa.example" {
		t.Errorf("the A-label of bärga.example is %s (%v), want that of oracleDomains", ascii, err)
	}
}

// TestNoOracleByTime checks that no kind of mailbox is answered faster or more slowly than
// an address that nobody has, by interleaved requests. Their medians may differ by a fifth;
// a look-up in DNS, or another pass through the documents, is far more.
func TestNoOracleByTime(t *testing.T) {
	const rounds, tries = 300, 4
	lookups := 0
	handler := oracle(t, &lookups)
	names := append([]string{"nobody00"}, make([]string, len(mailboxKinds))...)
	for i, kind := range mailboxKinds {
		names[i+1] = kind.local
	}
	for _, q := range questions {
		var worst string
		for range tries {
			took := make([][]time.Duration, len(names))
			for range rounds {
				for i, local := range names {
					r := q.request(local+"@berga.example", "berga.example")
					w := httptest.NewRecorder()
					begun := time.Now()
					handler.ServeHTTP(w, r)
					took[i] = append(took[i], time.Since(begun))
				}
			}
			median := func(i int) time.Duration {
				slices.Sort(took[i])
				return took[i][rounds/2]
			}
			worst = ""
			nobody := median(0)
			for i := range mailboxKinds {
				if got := median(i + 1); got > nobody*6/5 || got < nobody*5/6 {
					worst = fmt.Sprintf("%s: %s takes %v, nobody %v", q.name, mailboxKinds[i].name, got, nobody)
				}
			}
			if worst == "" {
				break
			}
		}
		if worst != "" {
			t.Error(worst)
		}
	}
}

// codes matches the QR codes of the page.
var codes = regexp.MustCompile(`<svg class="(app)?code"[^>]*>.*</svg>`)
