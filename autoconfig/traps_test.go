package autoconfig

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"signpost/account"
)

// traps returns everything in a config-v1.1 document that some known reader cannot
// read. It looks at tokens and bytes and shares no code with the writer.
func traps(document []byte) (found []string) {
	trap := func(format string, a ...any) { found = append(found, fmt.Sprintf(format, a...)) }
	if !bytes.HasPrefix(document, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)) {
		trap("it does not start with the XML declaration")
	}
	if !utf8.Valid(document) || bytes.Contains(document, []byte("\ufeff")) || bytes.ContainsRune(document, 0xfffd) {
		trap("it is not clean UTF-8")
	}
	for _, reference := range regexp.MustCompile(`&[^;]*;?`).FindAllString(betweenTags(document), -1) {
		if reference != "&amp;" && reference != "&lt;" && reference != "&gt;" {
			trap("reference %q splits a text", reference)
		}
	}

	type element struct {
		name     string
		attrs    []xml.Attr
		text     string
		children int
		methods  int // authentication without an attribute
	}
	var (
		stack     []*element
		types     = map[string]int{}
		incoming  []string
		usernames []string
		mailName  string
		providers int
		domains   int
	)
	decoder := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return append(found, "it is not well-formed: "+err.Error())
		}
		switch token := token.(type) {
		case xml.Directive, xml.Comment:
			trap("it has a declaration or a comment")
		case xml.StartElement:
			if token.Name.Space != "" {
				trap("%s has a prefix", token.Name.Local)
			}
			if len(stack) > 0 {
				stack[len(stack)-1].children++
			}
			stack = append(stack, &element{name: token.Name.Local, attrs: token.Copy().Attr})
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(token)
			}
		case xml.EndElement:
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			parent := ""
			if len(stack) > 0 {
				parent = stack[len(stack)-1].name
			}
			attr := ""
			if len(e.attrs) > 0 {
				attr = e.attrs[0].Value
			}
			switch {
			case e.children > 0 && strings.TrimSpace(e.text) != "":
				trap("%s has text and elements", e.name)
			case e.children == 0 && e.text == "" && !slices.Contains([]string{"loginPage", "documentation"}, e.name):
				trap("%s is empty", e.name)
			case e.children == 0 && strings.TrimSpace(e.text) != e.text:
				trap("%s has white space around %q", e.name, e.text)
			case e.children == 0 && strings.ContainsAny(e.text, "\n\t\r"):
				trap("%s has a line break", e.name)
			case e.children == 0 && len(e.attrs) > 0 &&
				!slices.Contains([]string{"descr", "loginPage", "documentation", "authentication"}, e.name):
				trap("leaf %s has an attribute", e.name)
			}
			hostname := regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
			switch e.name {
			case "emailProvider":
				providers++
				if !hostname.MatchString(attr) {
					trap("id %q is no host name", attr)
				}
			case "domain":
				domains++
				if !hostname.MatchString(e.text) {
					trap("domain %q is no host name", e.text)
				}
			case "hostname":
				if !hostname.MatchString(e.text) {
					trap("hostname %q is no host name", e.text)
				}
			case "port":
				if n, err := strconv.Atoi(e.text); err != nil || n < 1 || n > 65535 {
					trap("port %q", e.text)
				}
			case "socketType":
				if e.text != "SSL" && e.text != "STARTTLS" {
					trap("socketType %q", e.text)
				}
			case "authentication":
				section := stack[len(stack)-1]
				if len(e.attrs) > 0 {
					// Readers that know no attribute have to find a method before it.
					scheme := e.attrs[0].Name.Local == "system" && attr == "http" &&
						(e.text == "Basic" || e.text == "Digest")
					if !scheme || section.methods == 0 {
						trap("authentication with an attribute: %q", e.text)
					}
					break
				}
				section.methods++
				if !slices.Contains([]string{"password-cleartext", "password-encrypted", "NTLM", "GSSAPI",
					"TLS-client-cert", "OAuth2", "basic", "digest"}, e.text) {
					trap("authentication %q", e.text)
				}
			case "username":
				usernames = append(usernames, e.text)
				if parent == "outgoingServer" {
					mailName = e.text
				}
			case "incomingServer", "outgoingServer", "calendar", "addressbook", "setupServer":
				if len(e.attrs) != 1 || e.attrs[0].Name.Local != "type" {
					trap("%s has other attributes than type", e.name)
				}
				if types[attr]++; types[attr] > 1 {
					trap("two sections of type %s", attr)
				}
				if e.name == "incomingServer" {
					incoming = append(incoming, attr)
				}
				wanted := "clientConfig"
				if e.name == "incomingServer" || e.name == "outgoingServer" {
					wanted = "emailProvider"
				}
				if parent != wanted {
					trap("%s stands in %s", e.name, parent)
				}
			}
		}
	}
	if providers != 1 {
		trap("%d emailProvider", providers)
	}
	if domains < 1 || domains > 2 {
		trap("%d domain", domains)
	}
	for i, name := range incoming {
		if (name == "activesync" || name == "jmap") && slices.Contains(incoming[i:], "imap") {
			trap("imap comes after %s", name)
		}
	}
	if len(incoming) == 0 {
		trap("no incomingServer")
	}
	if mailName != "" && usernames[len(usernames)-1] != mailName {
		trap("the last username is %q and not that of smtp, %q", usernames[len(usernames)-1], mailName)
	}
	return found
}

// betweenTags returns the text outside of < and >.
func betweenTags(document []byte) string {
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(document), "\n")
}

func TestTrapsAreFound(t *testing.T) {
	good := string(mustDocument(t, settingsOf(t, everything, "fred@example.com")))
	if found := traps([]byte(good)); found != nil {
		t.Fatalf("traps of a good document = %q, want none", found)
	}
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the good document lacks %s, which the test replaces", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, bad := range []string{
		"\ufeff" + good,
		replace("<port>993</port>", "<port> 993 </port>"),
		replace("<port>993</port>", "<port>70000</port>"),
		replace("<port>993</port>", "<port></port>"),
		replace("<port>993</port>", "<port/>"),
		replace("<socketType>SSL", "<socketType>ssl"),
		replace("<socketType>SSL", "<socketType>plain"),
		replace("<domain>", `<domain purpose="mx">`),
		replace("<domain>example.com", "<domain>bücher.example"),
		replace("<hostname>imap.example.com", "<hostname>imap_1.example.com"),
		replace("<authentication>", `<authentication system="http">`),
		replace("<authentication>OAuth2", `<authentication>oauth2`),
		replace("Jerry's", "Jerry&#39;s"),
		replace("Jerry's", "Jerry&apos;s"),
		replace("<username>%EMAILADDRESS%", "<username>%EMAILADDRESS%\n"),
		replace(`<incomingServer type="imap">`, `<incomingServer type="pop3">`),
		replace(`<incomingServer type="imap">`, `<incomingServer type="imap" x="y">`),
		replace("</clientConfig>", "<addressbook type=\"x\"><username>other</username></addressbook></clientConfig>"),
		replace("</emailProvider>", "</emailProvider><emailProvider id=\"x.com\"/>"),
		replace("</emailProvider>", "<domain>a.com</domain><domain>b.com</domain></emailProvider>"),
		replace("<clientConfig", "<!-- x --><clientConfig"),
		replace("<webMail>", "<x:webMail>"),
		strings.ReplaceAll(replace(`"imap"`, `"ox"`), `"activesync"`, `"imap"`),
		replace("<authentication>digest</authentication>", ""),
		replace(`system="http"`, `system="sasl"`),
	} {
		if found := traps([]byte(bad)); found == nil {
			t.Errorf("traps finds nothing in\n%s", bad)
		}
	}
}

func mustDocument(t testing.TB, s account.Settings) []byte {
	t.Helper()
	document, err := Document(s)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
