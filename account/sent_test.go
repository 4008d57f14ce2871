package account

import (
	"strings"
	"testing"
)

// TestReadAddress reads what clients have been seen to send in place of an address.
func TestReadAddress(t *testing.T) {
	const host = "autoconfig.host.example"
	for _, row := range []struct{ text, address, domain, host string }{
		{text: "Anna.Ek@Example.SE", address: "Anna.Ek@example.se", domain: "example.se"},
		{text: "\tanna@example.se\r\n", address: "anna@example.se", domain: "example.se"},
		{text: "anna%40example.se", address: "anna@example.se", domain: "example.se"},
		{text: "anna%2Bx%40example.se", address: "anna+x@example.se", domain: "example.se"},
		{text: "100%25@example.se", address: "100%25@example.se", domain: "example.se"},
		{text: "\xe5sa@example.se", address: "åsa@example.se", domain: "example.se"},
		{text: "anna..ek@example.se", address: "anna..ek@example.se", domain: "example.se"},
		{text: ".anna@example.se", address: ".anna@example.se", domain: "example.se"},
		{text: "anna.@example.se", address: "anna.@example.se", domain: "example.se"},
		{text: `"anna..ek"@example.se`, address: `"anna..ek"@example.se`, domain: "example.se"},
		{text: "../x@example.se", address: EmailAddress, domain: "example.se"},
		{text: "anna ek@example.se", address: EmailAddress, domain: "example.se"},
		{text: "a@b@example.se", address: EmailAddress, domain: "example.se"},
		{text: "@example.se", address: EmailAddress, domain: "example.se"},
		{text: "anna\x00%40example.se", address: EmailAddress, domain: "example.se"},
		{text: strings.Repeat("x", 65) + "@example.se", address: EmailAddress, domain: "example.se"},
		{text: "example.se", host: "example.se"},
		{text: "B\xfccher.example", host: host}, // nothing that could be a name in DNS
		{text: "anna", host: host},
		{text: EmailAddress, host: host},
		{text: "anna@", host: host},
		{text: "anna@192.0.2.1", host: host},
		{text: "", host: host},
		{text: strings.Repeat("x", 2000) + "@example.se", host: host},
	} {
		q := Query{Host: host}
		q.ReadAddress(row.text)
		if row.host == "" {
			row.host = host
		}
		if q.Address.String() != row.address || q.Address.Domain() != row.domain || q.Host != row.host {
			t.Errorf("ReadAddress(%q) = %q in %q at %q, want %q in %q at %q", row.text,
				q.Address, q.Address.Domain(), q.Host, row.address, row.domain, row.host)
		}
	}
}
