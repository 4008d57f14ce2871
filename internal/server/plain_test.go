package server_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/server"
)

// TestPlainHTTP sends requests over plain HTTP to a service that has https too.
func TestPlainHTTP(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	behind := server.Handler(o)
	o.HTTPS = true
	handler := server.Handler(o)
	const pox, json = "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.json"
	for _, row := range []struct {
		name, method, host, target string
		status                     int
		location                   string
	}{
		{"Thunderbird", "GET", "autoconfig.example.se", "/mail/config-v1.1.xml?emailaddress=info%40domain.se", 200, ""},
		{"Evolution", "GET", "example.se", "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=info%40example.se", 200, ""},
		{"a database of settings", "GET", "setup.mamutmail.com", "/v1.1/example.se?emailaddress=info%40example.se", 200, ""},
		{"HEAD of autoconfig", "HEAD", "autoconfig.example.se", "/mail/config-v1.1.xml", 200, ""},
		{"an unknown domain's autoconfig", "GET", "autoconfig.unknown.example", "/mail/config-v1.1.xml", 404, ""},
		{"Outlook's redirect step", "GET", "autodiscover.domain.se", pox, 302, "https://setup.mamutmail.com" + pox},
		{"in EWS libraries' spelling", "GET", "AutoDiscover.Domain.SE.:80", "/Autodiscover/Autodiscover.xml", 302,
			"https://setup.mamutmail.com" + pox},
		{"at the domain itself", "HEAD", "domain.se", pox, 302, "https://setup.mamutmail.com" + pox},
		{"IDN", "GET", "autodiscover.xn--keriet-hua.example", pox, 302, "https://setup.mamutmail.com" + pox},
		{"SOAP", "GET", "autodiscover.domain.se", "/autodiscover/autodiscover.svc", 302,
			"https://setup.mamutmail.com/autodiscover/autodiscover.svc"},
		{"JSON", "GET", "autodiscover.domain.se", json + "?Email=a%40domain.se&Protocol=EWS", 302,
			"https://setup.mamutmail.com" + json + "?Email=a%40domain.se&Protocol=EWS"},
		{"JSON with the address in the path", "GET", "autodiscover.domain.se", json + "/v1.0/a%40domain.se?Protocol=EWS",
			302, "https://setup.mamutmail.com" + json + "/v1.0/a%40domain.se?Protocol=EWS"},
		{"PACC", "GET", "ua-auto-config.example.se", "/.well-known/user-agent-configuration.json", 302,
			"https://ua-auto-config.example.se/.well-known/user-agent-configuration.json"},
		{"the service's own name", "GET", "setup.mamutmail.com", pox, 302, "https://setup.mamutmail.com" + pox},
		{"a doubled slash", "GET", "autodiscover.domain.se", "//autodiscover//autodiscover.xml", 302,
			"https://setup.mamutmail.com" + pox},
		{"POST", "POST", "autodiscover.domain.se", pox, 403, ""},
		{"POST in the service's own name", "POST", "setup.mamutmail.com", pox, 403, ""},
		{"POST to SOAP", "POST", "autodiscover.domain.se", "/autodiscover/autodiscover.svc", 403, ""},
		{"PUT", "PUT", "autodiscover.domain.se", pox, 403, ""},
		{"an unknown domain", "GET", "autodiscover.unknown.example", pox, 404, ""},
		{"an IP address as host", "GET", "192.0.2.1", pox, 404, ""},
		{"no host", "GET", "", pox, 404, ""},
		{"a host that is a path", "GET", "evil.example/autodiscover.domain.se", pox, 404, ""},
		{"a user name before the host", "GET", "autodiscover.domain.se@evil.example", pox, 404, ""},
		{"a host behind another", "GET", "evil.example:80@domain.se", pox, 404, ""},
		{"a backslash", "GET", `evil.example\.domain.se`, pox, 404, ""},
		{"a profile", "GET", "setup.mamutmail.com", "/profile.mobileconfig?emailaddress=a%40domain.se", 302,
			"https://setup.mamutmail.com/profile.mobileconfig?emailaddress=a%40domain.se"},
		{"a profile at an IP address", "GET", "192.0.2.1", "/profile.mobileconfig", 302,
			"https://setup.mamutmail.com/profile.mobileconfig"},
		{"a profile of a stranger", "GET", "unknown.example", "/profile.mobileconfig", 404, ""},
		{"nothing", "GET", "domain.se", "/nothing", 404, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := ""
			if row.method == "POST" {
				body = outlookBody
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, request(row.method, row.host, row.target, body))
			if location := w.Header().Get("Location"); w.Code != row.status || location != row.location {
				t.Errorf("got status %d and Location %q, want %d and %q", w.Code, location, row.status, row.location)
			}
			if w.Header().Get("Www-Authenticate") != "" {
				t.Error("the response is a challenge, which makes clients send a password")
			}

			// Over TLS, or if the service has no https, nothing is redirected.
			over := request(row.method, row.host, row.target, body)
			over.TLS = &tls.ConnectionState{}
			direct, secure := httptest.NewRecorder(), httptest.NewRecorder()
			handler.ServeHTTP(secure, over)
			behind.ServeHTTP(direct, request(row.method, row.host, row.target, body))
			if secure.Code != direct.Code || secure.Code == 403 || secure.Code == 302 {
				t.Errorf("got status %d over TLS and %d without https, want the same and no redirect",
					secure.Code, direct.Code)
			}
		})
	}
}

// TestSchemeByProxy sends requests through a proxy that terminates TLS.
func TestSchemeByProxy(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, row := range []struct {
		name         string
		https        bool // of Signpost's own
		peer, scheme string
		overTLS      bool
		status       int // of an Outlook POST
	}{
		{"http behind the proxy", false, "127.0.0.1:1", "http", false, 403},
		{"https behind the proxy", false, "127.0.0.1:1", "https", false, 200},
		{"a WebSocket by http behind Traefik", false, "127.0.0.1:1", "ws", false, 403},
		{"a WebSocket by https behind Traefik", true, "127.0.0.1:1", "wss", false, 200},
		{"a proxy that sends no scheme", false, "127.0.0.1:1", "", false, 200},
		{"both, http behind the proxy", true, "127.0.0.1:1", "http", false, 403},
		{"both, https behind the proxy", true, "127.0.0.1:1", "https", false, 200},
		{"both, a proxy that sends no scheme", true, "127.0.0.1:1", "", false, 403},
		{"a client sends http", false, "192.0.2.1:1", "http", false, 200},
		{"a client sends https", true, "192.0.2.1:1", "https", false, 403},
		{"http at a proxy that connects over TLS", true, "127.0.0.1:1", "http", true, 403},
		{"https at a proxy that connects over TLS", true, "127.0.0.1:1", "https", true, 200},
		{"a proxy that connects over TLS and sends no scheme", true, "127.0.0.1:1", "", true, 200},
		{"a client over TLS sends http", true, "192.0.2.1:1", "http", true, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			o.HTTPS = row.https
			r := request("POST", "autodiscover.domain.se", "/autodiscover/autodiscover.xml", outlookBody)
			r.RemoteAddr = row.peer
			if row.scheme != "" {
				r.Header.Set("X-Forwarded-Proto", row.scheme)
			}
			if row.overTLS {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			server.Handler(o).ServeHTTP(w, r)
			if w.Code != row.status {
				t.Errorf("got status %d, want %d", w.Code, row.status)
			}
		})
	}
}

// TestPlainAutodiscover checks where GET http://autodiscover.‹domain› leads: a client asks
// it because https failed under that name.
func TestPlainAutodiscover(t *testing.T) {
	mail := account.Provider{ID: "mail", Servers: []account.Server{{Type: account.IMAP, Hostname: "imap.example"}}}
	moved := account.Provider{ID: "moved",
		AutodiscoverRedirect: &account.AutodiscoverRedirect{Hostname: "AD.Other.example"}}
	asXML := account.Provider{ID: "as-xml",
		AutodiscoverRedirect: &account.AutodiscoverRedirect{Hostname: "ad.other.example", AsXML: true}}
	d := directory.New([]directory.Provider{
		{Provider: &mail, Domains: []string{"mail.example", "mixed.example"}},
		{Provider: &moved, Domains: []string{"moved.example", "mixed-moved.example"}},
		{Provider: &asXML, Domains: []string{"as-xml.example"}},
	}, []directory.List{{
		"a@mixed.example": {Provider: "moved"}, "a@mixed-moved.example": {Provider: "mail"},
	}}, nil)
	for _, name := range []string{"setup.example", ""} {
		o := optionsFor(d, io.Discard)
		o.Name, o.HTTPS = name, true
		handler := server.Handler(o)
		for domain, want := range map[string]string{
			"mail.example":        cmp.Or(name, "autodiscover.mail.example"),
			"mixed.example":       cmp.Or(name, "autodiscover.mixed.example"),
			"moved.example":       "ad.other.example",
			"as-xml.example":      "ad.other.example",
			"mixed-moved.example": cmp.Or(name, "autodiscover.mixed-moved.example"), // which of both, the address tells
		} {
			for _, path := range []string{"xml", "svc", "svc/wssecurity", "json?Email=a%40b.example&Protocol=EWS"} {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, request("GET", "autodiscover."+domain, "/AutoDiscover/AutoDiscover."+path, ""))
				want := "https://" + want + "/autodiscover/autodiscover." + path
				if got := w.Header().Get("Location"); w.Code != 302 || got != want {
					t.Errorf("name %q, %s, %s: status %d to %q, want 302 to %q", name, domain, path, w.Code, got, want)
				}
			}
		}
	}
}

// TestForwardedHost checks that a proxy may use a Host header of its own.
func TestForwardedHost(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for peer, want := range map[string]int{"127.0.0.1:1": 200, "192.0.2.1:1": 404} {
		r := request("GET", "signpost.internal", "/mail/config-v1.1.xml", "")
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-Host", "autoconfig.example.se")
		w := httptest.NewRecorder()
		server.Handler(o).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("peer %s: got status %d, want %d", peer, w.Code, want)
		}
		if r.Host != "signpost.internal" {
			t.Errorf("the handler changed the Host of the caller's request to %q", r.Host)
		}
	}
}

// TestRedirectsStay sends hostile hosts, paths and queries: a redirect leads to a hosted
// name over https.
func TestRedirectsStay(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.HTTPS = true
	handler := server.Handler(o)
	redirects := 0
	for _, host := range []string{"domain.se", "autodiscover.domain.se", "evil.example", "domain.se.evil.example",
		"domain.se:80@evil.example", "domain.se/@evil.example",
		"domain.se#evil.example", "domain.se?evil.example", "[::1]", "domain.se\r\nLocation: https://evil.example",
		"\tdomain.se", "evil.example:domain.se", "//evil.example"} {
		for _, path := range []string{"/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.json/",
			"/profile.mobileconfig"} {
			for _, more := range []string{"", "//evil.example", "/../..", "\r\nSet-Cookie: a=b", `"><script>`, "%0d%0aX: y",
				"\\evil", "é\x80", "#x", " "} {
				for _, query := range []string{"", "a=b", "\r\nX: y", `"<>`, "é", "//evil.example"} {
					r := request("GET", host, "/", "")
					r.URL = &url.URL{Path: path + more, RawQuery: query}
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					location := w.Header().Get("Location")
					if location == "" {
						continue
					}
					redirects++
					u, err := url.Parse(location)
					if err != nil || u.Scheme != "https" || u.User != nil ||
						!strings.HasSuffix("."+u.Host, ".domain.se") && u.Host != "setup.mamutmail.com" {
						t.Errorf("%q %q is redirected to %q", host, path+more, location)
					}
					for i := range len(location) {
						if c := location[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>\`, c) >= 0 {
							t.Errorf("%q %q is redirected to %q", host, path+more, location)
							break
						}
					}
				}
			}
		}
	}
	if redirects < 100 {
		t.Errorf("only %d requests were redirected, want at least 100", redirects)
	}
}

// TestPlainExchange checks which POST of Thunderbird's Exchange accounts is redirected: one under the name of a
// domain that has an Exchange server alone, and never one that another client could send.
func TestPlainExchange(t *testing.T) {
	ews := account.Server{Type: account.EWS, URL: "https://ex.example/EWS/Exchange.asmx", ExchangeEntries: true}
	hidden := ews
	hidden.ExchangeEntries = false
	imap := account.Server{Type: account.IMAP, Hostname: "imap.example"}
	var providers []directory.Provider
	for domain, servers := range map[string][]account.Server{
		"ews.example": {ews}, "hidden.example": {hidden}, "both.example": {ews, imap}, "imap.example": {imap},
	} {
		p := account.Provider{ID: domain, Servers: servers}
		providers = append(providers, directory.Provider{Provider: &p, Domains: []string{domain, "mixed-" + domain}})
	}
	d := directory.New(providers, []directory.List{{"anna@mixed-ews.example": {Provider: "imap.example"}}}, nil)
	o := optionsFor(d, io.Discard)
	o.Name, o.HTTPS = "setup.example", true
	handler := server.Handler(o)
	for _, c := range []struct {
		method, host, path string
		status             int
	}{
		{"POST", "autodiscover.ews.example", "/autodiscover/autodiscover.xml", 302},
		{"POST", "ews.example:80", "/Autodiscover/Autodiscover.xml", 302},
		{"POST", "autodiscover.ews.example", "/autodiscover/autodiscover.svc", 403},
		{"PUT", "autodiscover.ews.example", "/autodiscover/autodiscover.xml", 403},
		{"POST", "autodiscover.hidden.example", "/autodiscover/autodiscover.xml", 403},
		{"POST", "autodiscover.both.example", "/autodiscover/autodiscover.xml", 403},
		{"POST", "autodiscover.imap.example", "/autodiscover/autodiscover.xml", 403},
		{"POST", "autodiscover.mixed-ews.example", "/autodiscover/autodiscover.xml", 403},
		{"POST", "autodiscover.unknown.example", "/autodiscover/autodiscover.xml", 403},
		{"POST", "setup.example", "/autodiscover/autodiscover.xml", 403},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request(c.method, c.host, c.path, outlookBody))
		location := ""
		if c.status == 302 {
			location = "https://setup.example/autodiscover/autodiscover.xml"
		}
		if got := w.Header().Get("Location"); w.Code != c.status || got != location {
			t.Errorf("%s http://%s%s: status %d to %q, want %d to %q",
				c.method, c.host, c.path, w.Code, got, c.status, location)
		}
	}

	o.Resolve = func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, errors.New("no DNS")
	}
	w := httptest.NewRecorder()
	server.Handler(o).ServeHTTP(w,
		request("POST", "autodiscover.ews.example", "/autodiscover/autodiscover.xml", outlookBody))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("without DNS: status %d, want 503", w.Code)
	}
}
