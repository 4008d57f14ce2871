package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// hostile is a request that no well-meaning client sends.
type hostile struct {
	name    string
	request string
	body    io.Reader // sent after request, for bodies too long to keep in memory
	want    []int     // acceptable statuses; 0 is a connection closed without an answer
}

// badAddresses holds texts in place of an address. Legal ones are answered like any
// address of the domain, the others are refused.
var badAddresses = []struct {
	name, text string
	legal      bool
}{
	{"two @", "a@b@domain.se", false},
	{"no @", "domain.se", false},
	{"NUL", "a\x00b@domain.se", false},
	{"CR LF", "a@domain.se\r\nX-Evil: 1", false},
	{"element", "<b>@domain.se", false},
	{"script", `"><script>alert(1)</script>@domain.se`, false},
	{"format string", "%s%d@domain.se", true},
	{"template", "{{7*7}}@domain.se", true},
	{"path", "../../x@domain.se", false},
	{"LDAP filter", "*)(uid=*@domain.se", false},
	{"not UTF-8", "\xff\xfe@domain.se", false},
	{"placeholder", "%EMAILADDRESS%@domain.se", true},
	{"entity", "&lt;b&gt;@domain.se", false},
	{"ampersand", "a&b@domain.se", true},
	{"apostrophe", "o'brien@domain.se", true},
	{"plist", "a</string><key>IncomingPassword</key><string>x@domain.se", false},
	{"direction override", "a\u202eb@domain.se", false},
	{"10,000 bytes", strings.Repeat("a", 10_000/4) + "@domain.se", false},
}

func get(target, host string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
}

func post(target, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: autodiscover.domain.se\r\nConnection: close\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", target, len(body), body)
}

func outlookRequest(address string) string {
	return strings.Replace(outlookBody, "info@domain.se", address, 1)
}

func xmlText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

func hostileRequests() []hostile {
	const pox = "/autodiscover/autodiscover.xml"
	ok, answered := []int{200}, []int{200, 400}
	nested := strings.Repeat("<a>", 100_000)
	bomb := `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">` +
		`<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">` +
		`<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>` +
		strings.Replace(outlookBody, `<?xml version="1.0" encoding="utf-8"?>`, "", 1)
	bomb = strings.Replace(bomb, "info@domain.se", "&d;@domain.se", 1)
	external := `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Autodiscover><Request><EMailAddress>&x;@domain.se</EMailAddress></Request></Autodiscover>`
	wide := new(strings.Builder)
	for _, unit := range utf16.Encode([]rune("\ufeff" + outlookBody)) {
		wide.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	twoRequests := strings.Replace(outlookBody, "</Autodiscover>",
		outlookBody[strings.Index(outlookBody, "<Request>"):], 1)

	all := []hostile{
		{name: "POST empty body", request: post(pox, ""), want: ok},
		{name: "POST words", request: post(pox, "hello"), want: ok},
		{name: "POST truncated", request: post(pox, outlookBody[:200]), want: ok},
		{name: "POST not UTF-8", request: post(pox, outlookRequest("a\xff@domain.se")), want: ok},
		{name: "POST UTF-16", request: post(pox, wide.String()), want: ok},
		{name: "POST two Request elements", request: post(pox, twoRequests), want: ok},
		{name: "POST wrong namespaces", request: post(pox, strings.ReplaceAll(outlookBody, "http://schemas.microsoft.com/", "urn:x:")), want: ok},
		{name: "POST wrong schema", request: post(pox, strings.Replace(outlookBody, "responseschema/2006a", `"&gt;&lt;script&gt;`, 1)), want: ok},
		{name: "POST missing address", request: post(pox, outlookRequest("")), want: ok},
		{name: "POST entity bomb", request: post(pox, bomb), want: ok},
		{name: "POST external entity", request: post(pox, external), want: ok},
		{name: "POST 100,000 nested elements", request: post(pox, nested), want: []int{200, 413}},
		{name: "POST 10 MB", request: "POST " + pox + " HTTP/1.1\r\nHost: autodiscover.domain.se\r\nContent-Length: 10485760\r\n\r\n",
			body: io.LimitReader(spaces{}, 10<<20), want: []int{200, 413, 0}},
		{name: "POST wrong length", request: "POST " + pox + " HTTP/1.1\r\nHost: autodiscover.domain.se\r\nContent-Length: 3\r\nConnection: close\r\n\r\n" + outlookBody, want: ok},
		{name: "POST length and chunks", request: "POST " + pox + " HTTP/1.1\r\nHost: autodiscover.domain.se\r\nConnection: close\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", want: answered},
		{name: "POST to SOAP", request: post("/autodiscover/autodiscover.svc", "<x/>"), want: []int{404}},
		{name: "PUT", request: strings.Replace(post(pox, outlookBody), "POST", "PUT", 1), want: []int{405}},
		{name: "DELETE autoconfig", request: strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "GET", "DELETE", 1), want: []int{405}},
		{name: "invented method", request: strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "GET", "FROB", 1), want: []int{405}},
		{name: "GET 1 MB query", request: get("/mail/config-v1.1.xml?emailaddress="+strings.Repeat("a", 1<<20), "autoconfig.example.se"), want: []int{400, 414, 431}},
		{name: "GET 10 KB query", request: get("/mail/config-v1.1.xml?emailaddress="+strings.Repeat("a", 10_000), "autoconfig.example.se"),
			want: []int{404}}, // an account may have another provider, so a mailbox must be named
		{name: "GET 2,000 headers", request: strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "\r\n\r\n", strings.Repeat("\r\nX-Header: value", 2000)+"\r\n\r\n", 1), want: []int{431}},
		{name: "GET two Host headers", request: strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "\r\n\r\n", "\r\nHost: other.example\r\n\r\n", 1), want: []int{400}},
		{name: "GET no Host", request: "GET /mail/config-v1.1.xml HTTP/1.1\r\nConnection: close\r\n\r\n", want: []int{400}},
		{name: "GET HTTP/1.0 without Host", request: "GET /mail/config-v1.1.xml HTTP/1.0\r\n\r\n", want: []int{404}},
		{name: "GET unknown Host", request: get("/mail/config-v1.1.xml", "autoconfig.unknown.example"), want: []int{404}},
		{name: "GET Host with script", request: get("/mail/config-v1.1.xml", "<script>"), want: []int{400, 404}},
		{name: "GET bad escape", request: get("/mail/config-v1.1.xml?emailaddress=a%zz", "autoconfig.example.se"),
			want: []int{404}},
		{name: "GET bad escape in path", request: get("/mail/%zz", "autoconfig.example.se"), want: []int{400}},
		{name: "GET semicolon", request: get("/mail/config-v1.1.xml?x=1;emailaddress=<b>", "autoconfig.example.se"),
			want: answered},
		{name: "GET doubled slash", request: get("//mail//config-v1.1.xml", "autoconfig.example.se"), want: ok},
		{name: "POST doubled slash", request: post("//autodiscover/autodiscover.xml", outlookBody), want: ok},
		{name: "GET trailing slash", request: get("/mail/config-v1.1.xml/", "autoconfig.example.se"), want: []int{404}},
		{name: "GET upper case", request: get("/MAIL/CONFIG-V1.1.XML", "AUTOCONFIG.EXAMPLE.SE"), want: ok},
		{name: "POST upper case", request: post("/AUTODISCOVER/AUTODISCOVER.XML", outlookBody), want: ok},
		{name: "GET absolute form", request: get("http://autoconfig.example.se/mail/config-v1.1.xml", "other.example"), want: ok},
		{name: "GET forwarded host is not trusted",
			request: strings.Replace(get("/mail/config-v1.1.xml", "unknown.example"), "\r\n\r\n",
				"\r\nX-Forwarded-Host: autoconfig.example.se\r\nX-Forwarded-Proto: https\r\n\r\n", 1), want: []int{404}},
		{name: "GET path traversal", request: get("/mail/../../../etc/passwd", "autoconfig.example.se"), want: []int{404}},
		{name: "GET script in path", request: get("/v1.1/%3Cscript%3E", "autoconfig.example.se"), want: []int{400, 404}},
		{name: "GET dot-dot domain", request: get("/v1.1/..", "autoconfig.example.se"), want: []int{400, 404}},
		{name: "GET JSON without anything", request: get("/autodiscover/autodiscover.json", "autodiscover.domain.se"),
			want: []int{400}},
		{name: "GET JSON script protocol", request: get("/autodiscover/autodiscover.json?Email=a%40domain.se&Protocol=%3Cscript%3E", "autodiscover.domain.se"), want: []int{400}},
		{name: "GET JSON huge redirect count",
			request: get("/autodiscover/autodiscover.json?Email=a%40domain.se&Protocol=EWS&RedirectCount=99999999999999999999",
				"autodiscover.domain.se"), want: []int{400}},
		{name: "OPTIONS *", request: "OPTIONS * HTTP/1.1\r\nHost: autoconfig.example.se\r\nConnection: close\r\n\r\n",
			want: []int{200, 404}},
		{name: "garbage", request: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", want: []int{400}},
		{name: "GET with Authorization", request: strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "\r\n\r\n", "\r\nAuthorization: Basic c2VjcmV0OnBhc3N3b3Jk\r\n\r\n", 1), want: ok},
	}
	for _, bad := range badAddresses {
		query := url.QueryEscape(bad.text)
		// Autodiscover and autoconfig answer for the domain of an address that cannot be
		// read.
		profile := []int{400}
		if bad.legal {
			profile = ok
		}
		all = append(all,
			hostile{name: "autoconfig: " + bad.name,
				request: get("/mail/config-v1.1.xml?emailaddress="+query, "autoconfig.example.se"),
				want:    []int{200, 404}},
			hostile{name: "POX: " + bad.name, request: post(pox, outlookRequest(xmlText(bad.text))), want: ok},
			hostile{name: "JSON: " + bad.name,
				request: get("/autodiscover/autodiscover.json?Protocol=AutodiscoverV1&Email="+query, "autodiscover.domain.se"),
				want:    []int{200, 400, 404}},
			hostile{name: "JSON path: " + bad.name,
				request: get("/autodiscover/autodiscover.json/v1.0/"+url.PathEscape(bad.text)+"?Protocol=AutodiscoverV1",
					"autodiscover.domain.se"), want: []int{200, 400, 404}},
			hostile{name: "profile: " + bad.name,
				request: get("/profile.mobileconfig?emailaddress="+query, "setup.mamutmail.com"), want: profile},
			hostile{name: "profile name: " + bad.name,
				request: get("/profile.mobileconfig?emailaddress=info%40domain.se&name="+query, "setup.mamutmail.com"),
				want:    answered},
		)
	}
	return all
}

// spaces is an endless reader of white space.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// sent is the response to a request.
type sent struct {
	status int
	header http.Header
	body   string
}

func send(t testing.TB, address string, h hostile) sent {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return sendOn(t, conn, h)
}

func sendOn(t testing.TB, conn net.Conn, h hostile) sent {
	t.Helper()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		// The service may close the connection before it has read everything.
		if _, err := io.WriteString(conn, h.request); err == nil && h.body != nil {
			io.Copy(conn, h.body)
		}
	}()
	method, _, _ := strings.Cut(h.request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return sent{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("reading the body of the response: %v", err)
	}
	return sent{response.StatusCode, response.Header, string(body)}
}

// startService serves the example systems on loopback until stop is called.
func startService(t testing.TB, log io.Writer) (address string, stop func()) {
	t.Helper()
	handler := newHandler(t, log)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	service := &server.Service{Handler: handler, Timeouts: conn.DefaultTimeouts,
		Log: slog.New(slog.NewTextHandler(log, nil))}
	go func() { done <- service.Serve(ctx, &conn.Listeners{HTTP: []net.Listener{listener}}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

// leaks matches words that can only come from a parser, a library or a file.
var leaks = regexp.MustCompile(`(?i)xml:|etree|EOF|syntax|invalid character|goroutine|runtime|\.go:|root:x:|plist:|idna|strconv|panic`)

func TestHostileRequests(t *testing.T) {
	address, _ := startService(t, io.Discard)
	const budget = 1 << 20
	for _, h := range hostileRequests() {
		t.Run(h.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := send(t, address, h)
			runtime.ReadMemStats(&after)
			// The client's allocations count too, except for the request itself.
			if spent := int(after.TotalAlloc-before.TotalAlloc) - 2*len(h.request); spent > budget {
				t.Errorf("the request allocated %d bytes, want at most %d", spent, budget)
			}
			checkHostile(t, h, got)
		})
	}
}

// checkHostile checks an answer to a hostile request.
func checkHostile(t *testing.T, h hostile, got sent) {
	t.Helper()
	found := false
	for _, status := range h.want {
		found = found || got.status == status
	}
	if !found {
		t.Errorf("got status %d, want one of %v\n%s", got.status, h.want, got.body)
	}
	if got.status >= 500 {
		t.Errorf("got status %d for the client's mistake, want none of 5xx", got.status)
	}
	if got.status == http.StatusUnauthorized || got.header.Get("Www-Authenticate") != "" {
		t.Error("the response is a challenge, which makes clients send a password")
	}
	if got.status == http.StatusMethodNotAllowed && got.header.Get("Allow") == "" {
		t.Error("status 405 without an Allow header")
	}
	if got.header.Get("X-Evil") != "" {
		t.Error("the request injected a header into the response")
	}
	if word := leaks.FindString(got.body); word != "" {
		t.Errorf("the response leaks %q:\n%s", word, got.body)
	}
	for _, raw := range []string{"<b>", "<script", "49@domain", "<key>IncomingPassword", strings.Repeat("a", 150)} {
		if strings.Contains(got.body, raw) {
			t.Errorf("the response echoes %q:\n%.500s", raw, got.body)
		}
	}
	if len(got.body) > 16<<10 {
		t.Errorf("the response has %d bytes, want at most 16 KiB", len(got.body))
	}
}

// TestNoLocalPartInTheLog sends local parts in every place of a request.
func TestNoLocalPartInTheLog(t *testing.T) {
	log := new(lockedBuffer)
	address, stop := startService(t, log)
	const local = "veryprivatelocalpart"
	at := local + "%40domain.se"
	requests := []string{
		get("/mail/config-v1.1.xml?emailaddress="+at, "autoconfig.example.se"),
		get("/mail/config-v1.1.xml?emailaddress="+local+"%40unknown.example", "autoconfig.example.se"),
		get("/mail/config-v1.1.xml?emailaddress="+local+"%40bad%40domain.se", "autoconfig.example.se"),
		get("/"+local, "domain.se"),
		get("/mail/config-v1.1.xml", local+".domain.se"),
		get("/v1.1/"+at, "domain.se"),
		post("/autodiscover/autodiscover.xml", outlookRequest(local+"@domain.se")),
		post("/autodiscover/autodiscover.xml", outlookRequest(local)),
		get("/autodiscover/autodiscover.json?Protocol=ActiveSync&Email="+at, "autodiscover.domain.se"),
		get("/autodiscover/autodiscover.json/v1.0/"+at+"?Protocol=ActiveSync", "autodiscover.domain.se"),
		get("/profile.mobileconfig?emailaddress="+at+"&name="+local, "setup.mamutmail.com"),
		strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "\r\n\r\n",
			"\r\nAuthorization: Basic "+local+"\r\n\r\n", 1),
	}
	for _, request := range requests {
		send(t, address, hostile{request: request})
	}
	stop() // waits for the last line
	written := log.String()
	if count := strings.Count(written, "msg=request"); count != len(requests) {
		t.Errorf("the log has %d lines for %d requests:\n%s", count, len(requests), written)
	}
	if strings.Contains(strings.ToLower(written), local) {
		t.Errorf("the log holds a local part:\n%s", written)
	}
	for _, want := range []string{"dialect=autoconfig", "dialect=autodiscover ", "dialect=autodiscover-json",
		"dialect=mobileconfig", "domain=domain.se", "status=200", "status=404"} {
		if !strings.Contains(written, want) {
			t.Errorf("the log lacks %s:\n%s", want, written)
		}
	}
}

// BenchmarkHostile reports the time of the most expensive hostile request.
func BenchmarkHostile(b *testing.B) {
	address, _ := startService(b, io.Discard)
	requests := hostileRequests()
	var slowest time.Duration
	for b.Loop() {
		for _, h := range requests {
			if h.body != nil {
				continue // the time of its sender would be measured
			}
			start := time.Now()
			send(b, address, h)
			slowest = max(slowest, time.Since(start))
		}
	}
	b.ReportMetric(float64(slowest.Microseconds()), "max-µs")
}
