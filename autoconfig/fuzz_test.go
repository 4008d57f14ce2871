package autoconfig

import (
	"encoding/xml"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/account"
)

// FuzzRead checks that settings that have been read can be written, and the
// document read again.
func FuzzRead(f *testing.F) {
	for _, text := range hostileDocuments() {
		if len(text) < 10_000 {
			f.Add([]byte(text))
		}
	}
	for _, pattern := range []string{golden + "*.xml", "testdata/foreign/*.xml"} {
		addFiles(f, pattern)
	}
	for _, text := range oddDocuments {
		f.Add([]byte(text))
	}
	// The first needs escapes in a URL, so its document is not cached.
	addresses := []account.Address{address(f, "o'neil&co@example.com"), address(f, "fred@example.com")}
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, a := range addresses {
			checkRead(t, document, a)
		}
	})
}

func checkRead(t *testing.T, document []byte, a account.Address) {
	s, err := Read(document, a)
	if err != nil {
		if !errors.Is(err, ErrNoDocument) {
			t.Fatalf("Read: %v, want ErrNoDocument", err)
		}
		return
	}
	if len(s.Servers) == 0 || s.Provider == nil {
		t.Fatalf("Read returned no servers and no error: %+v", s)
	}
	written, err := Document(s)
	if err != nil {
		if !errors.Is(err, ErrNotDescribable) {
			t.Fatal(err)
		}
		return
	}
	if err := xml.Unmarshal(written, &struct{}{}); err != nil {
		t.Fatalf("a written document is not well-formed: %v:\n%s", err, written)
	}
	if _, err := Read(written, a); err != nil {
		t.Fatalf("Read of a written document: %v:\n%s", err, written)
	}
}

// oddDocuments have placeholders in unusual places.
var oddDocuments = []string{
	`<clientConfig><emailProvider><incomingServer type="ews"><url>https://%EMAILLOCALPART%.example/x</url>
<authentication>basic</authentication></incomingServer></emailProvider></clientConfig>`,
	`<clientConfig><emailProvider><incomingServer type="ews"><url>https://a.example/x</url><authentication>basic</authentication></incomingServer>
<documentation url="https://a.example/%%EMAILDOMAIN%%"><descr lang="%EMAILADDRESS%">%EMAILDOMAIN%</descr></documentation></emailProvider></clientConfig>`,
	`<clientConfig><emailProvider><incomingServer type="ews"><url>https://a.example/x</url><authentication>basic</authentication>
<username>%EMAILLOCALPART%@example.com</username></incomingServer></emailProvider><calendar type="caldav"><url>https://a.example/x</url>
<authentication>basic</authentication><username>%EMAILLOCALPART%@%EMAILDOMAIN%</username></calendar></clientConfig>`,
}

// FuzzReadPACC checks that a document that is written from settings that have been
// read is stable.
func FuzzReadPACC(f *testing.F) {
	addFiles(f, golden+"*.json")
	f.Add([]byte(`{"protocols":{"imap":{"host":"a.example"},"smtp":{"host":"b.example"}},"authentication":{"oauth-public":{"issuer":"https://i"}}}`))
	f.Add([]byte(`{"protocols":{"jmap":{"url":"https://a.example/?%%EMAILDOMAIN%%"}},"info":{"help":{"documentation":"https://a.example/%%EMAILDOMAIN%%"}}}`))
	a := address(f, "fred@example.com")
	f.Fuzz(func(t *testing.T, document []byte) {
		s, err := ReadPACC(document, a)
		if err != nil {
			if !errors.Is(err, ErrNoDocument) {
				t.Fatalf("ReadPACC: %v, want ErrNoDocument", err)
			}
			return
		}
		for _, server := range s.Servers {
			if len(server.Authentication) == 0 || server.Hostname == "" && server.URL == "" {
				t.Fatalf("ReadPACC returned an incomplete server: %+v", server)
			}
		}
		written, err := PACC(s)
		if err != nil {
			if !errors.Is(err, ErrNotDescribable) {
				t.Fatal(err)
			}
			return
		}
		read, err := ReadPACC(written, a)
		if err != nil {
			t.Fatalf("ReadPACC of a written document: %v:\n%s", err, written)
		}
		if again, err := PACC(read); err != nil || string(again) != string(written) {
			t.Fatalf("written again, %v, the document\n%s\nis\n%s", err, written, again)
		}
	})
}

// FuzzQuery compares the address that Parameter finds with that of net/url, except
// in the queries that the two read differently on purpose.
func FuzzQuery(f *testing.F) {
	for _, text := range hostileTexts {
		if len(text) < 10_000 {
			f.Add("emailaddress=" + text)
			f.Add("x=%zz&EMAILADDRESS=" + everyByte(text))
		}
	}
	f.Add("emailaddress=fred+tag@example.com&emailmd5=0123")
	f.Fuzz(func(t *testing.T, query string) {
		value, err := account.Parameter(query, "emailaddress")
		if err != nil {
			if _, ok := errors.AsType[*account.AddressError](err); value != "" || !ok {
				t.Fatalf("Parameter(%q) = %q, %v, want an AddressError", query, value, err)
			}
			return
		}
		if want, ok := asForm(query); ok && value != want {
			t.Fatalf("Parameter(%q) = %q, net/url has %q", query, value, want)
		}
		if a, err := account.ParseAddress(value); err == nil &&
			(strings.ContainsAny(a.String(), "\x00\r\n") || a.Domain() == "") {
			t.Fatalf("ParseAddress(%q) = %q, which no address may be", value, a)
		}
	})
}

// asForm returns the address that net/url finds, and false where it reads the query
// in another way than Parameter: with a plus sign or a semicolon, escaped names, or
// names in another case.
func asForm(query string) (string, bool) {
	if strings.ContainsAny(query, "+;") {
		return "", false
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if strings.Contains(name, "%") || name != "emailaddress" && strings.EqualFold(name, "emailaddress") {
			return "", false
		}
	}
	values, err := url.ParseQuery(query)
	return values.Get("emailaddress"), err == nil
}

func addFiles(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("Glob(%q): %d files, %v, want some", pattern, len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}
