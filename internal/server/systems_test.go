package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"signpost/internal/golden"
	"signpost/internal/server"
	"signpost/internal/systems"
)

// question is one way in which clients ask about an address.
type question struct {
	name    string // of the golden file; its extension selects the second parser
	request func(address, domain string) *http.Request
}

var questions = []question{
	{"thunderbird.xml", func(address, domain string) *http.Request {
		return request("GET", "autoconfig."+domain, "/mail/config-v1.1.xml?emailaddress="+url.QueryEscape(address), "")
	}},
	{"thunderbird-no-address.xml", func(_, domain string) *http.Request {
		return request("GET", domain, "/.well-known/autoconfig/mail/config-v1.1.xml", "")
	}},
	{"outlook.xml", func(address, domain string) *http.Request {
		return request("POST", "autodiscover."+domain, "/autodiscover/autodiscover.xml",
			outlookRequest(xmlText(address)))
	}},
	{"activesync.xml", func(address, domain string) *http.Request {
		body := strings.ReplaceAll(outlookRequest(xmlText(address)), "outlook/requestschema/2006",
			"mobilesync/requestschema/2006")
		body = strings.ReplaceAll(body, "outlook/responseschema/2006a", "mobilesync/responseschema/2006")
		return request("POST", "autodiscover."+domain, "/Autodiscover/Autodiscover.xml", body)
	}},
	{"activesync.json", func(address, domain string) *http.Request {
		return request("GET", "autodiscover."+domain,
			"/autodiscover/autodiscover.json?Email="+url.QueryEscape(address)+"&Protocol=ActiveSync&RedirectCount=1", "")
	}},
	{"autodiscoverv1.json", func(address, domain string) *http.Request {
		return request("GET", "autodiscover."+domain,
			"/autodiscover/autodiscover.json/v1.0/"+url.PathEscape(address)+"?Protocol=AutodiscoverV1", "")
	}},
	{"soap.txt", func(_, domain string) *http.Request {
		return request("POST", "autodiscover."+domain, "/autodiscover/autodiscover.svc", "<Envelope/>")
	}},
	{"soap-user.xml", func(address, domain string) *http.Request {
		return request("POST", "autodiscover."+domain, "/autodiscover/autodiscover.svc", soapRequest(xmlText(address)))
	}},
	{"pacc.json", func(_, domain string) *http.Request {
		return request("GET", "ua-auto-config."+domain, "/.well-known/user-agent-configuration.json", "")
	}},
	{"apple.plist", func(address, _ string) *http.Request {
		return request("GET", "setup.mamutmail.com",
			"/profile.mobileconfig?name=Anna+Ek&emailaddress="+url.QueryEscape(address), "")
	}},
}

// soapRequest asks for the EWS server of a mailbox, as ews-javascript-api does.
func soapRequest(address string) string {
	const schema = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
	return `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="` + schema + `"><soap:Body>` +
		`<a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>` + address + `</a:Mailbox></a:User></a:Users>` +
		`<a:RequestedSettings><a:Setting>InternalEwsUrl</a:Setting><a:Setting>ExternalEwsUrl</a:Setting>` +
		`</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></soap:Body></soap:Envelope>`
}

func request(method, host, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = host
	return r
}

// changing matches the parts of an answer that differ each time.
var changing = regexp.MustCompile(`(Time=")[0-9:.]+(" Id=")[0-9]+"`)

// TestSystems compares every answer of the example systems, header and all, with a
// golden file.
func TestSystems(t *testing.T) {
	for _, system := range systems.All(t) {
		handler := server.Handler(optionsFor(system.Directory, io.Discard))
		for _, address := range system.Addresses() {
			for _, q := range questions {
				if q.name == "soap-user.xml" && system.Name != "exchange" {
					continue // a redirect or 404, as soap.txt
				}
				t.Run(system.Name+"/"+address.String()+"/"+q.name, func(t *testing.T) {
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, q.request(address.String(), address.Domain()))
					body := changing.ReplaceAll(w.Body.Bytes(), []byte(`${1}12:34:56.7890123${2}1"`))
					dir := filepath.Join("..", "..", "testdata", "golden", "systems", system.Name, address.String())
					golden.Check(t, filepath.Join(dir, q.name+".answer"), append(head(w.Result()), body...))
					if w.Code == http.StatusOK {
						checkOtherParser(t, q.name, body)
					}
				})
			}
		}
	}
}

// head returns the status and the header fields that clients use.
func head(r *http.Response) []byte {
	var b bytes.Buffer
	b.WriteString(r.Status + "\n")
	for _, name := range []string{"Content-Type", "Content-Disposition", "Cache-Control", "Location", "Allow"} {
		if value := r.Header.Get(name); value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// checkOtherParser lets a program of another author read the document. The exit status
// of plistutil says nothing, so its output must be the binary form.
func checkOtherParser(t *testing.T, name string, document []byte) {
	var program []string
	want := ""
	switch filepath.Ext(name) {
	case ".xml":
		program = []string{"xmllint", "--noout", "--nonet", "-"}
	case ".plist":
		program, want = []string{"plistutil", "-i", "-", "-o", "-"}, "bplist00"
	case ".json":
		program = []string{"python3", "-c", "import json, sys; json.load(sys.stdin)"}
	default:
		return
	}
	t.Run(program[0], func(t *testing.T) {
		if _, err := exec.LookPath(program[0]); err != nil {
			if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		cmd := exec.Command(program[0], program[1:]...)
		cmd.Stdin = bytes.NewReader(document)
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.HasPrefix(out, []byte(want)) {
			t.Errorf("%s refuses the document: %v\n%s", program[0], err, out)
		}
	})
}

// TestLikeAnyMailbox asks about mailboxes that are listed as inactive, listed as aliases
// and not listed: the answers may differ in the address only.
func TestLikeAnyMailbox(t *testing.T) {
	handler := newHandler(t, io.Discard)
	answer := func(q question, address string) string {
		_, domain, _ := strings.Cut(address, "@")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, q.request(address, domain))
		body := changing.ReplaceAllString(w.Body.String(), "")
		for _, form := range []string{address, url.QueryEscape(address)} {
			body = strings.ReplaceAll(body, form, "ADDRESS")
		}
		local, _, _ := strings.Cut(address, "@")
		body = strings.ReplaceAll(body, local+"_", "LOCAL_")
		return string(head(w.Result())) + uuids.ReplaceAllString(body, "ID")
	}
	for _, pair := range [][2]string{
		{"gammal@domain.se", "nobody@domain.se"},
		{"sommar@malaren.example", "nobody@malaren.example"},
		{"offert@malaren.example", "nobody@malaren.example"},
		{"karin@malaren.example", "nobody@malaren.example"},
		{"kontakt@domain.se", "mail@domain.se"},
		{"gammal+tag@domain.se", "nobody+tag@domain.se"},
		{"karin+tag@malaren.example", "nobody+tag@malaren.example"},
	} {
		for _, q := range questions {
			one, other := answer(q, pair[0]), answer(q, pair[1])
			if one != other {
				t.Errorf("%s: the answers differ. That for %s is\n%s\nthat for %s is\n%s",
					q.name, pair[0], one, pair[1], other)
			}
		}
	}
}

// uuids matches the identities in a profile, which are derived from the address.
var uuids = regexp.MustCompile(`[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|[0-9a-f]{32}`)
