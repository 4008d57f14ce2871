package main

import (
	"context"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/service"
)

// TestAddressUnknown checks which domain show calls unknown, and what it advises: an alias
// may be of a mailbox in a domain that is not hosted here.
func TestAddressUnknown(t *testing.T) {
	target, err := account.ParseAddress("secret@elsewhere.example")
	if err != nil {
		t.Fatal(err)
	}
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	d := directory.New([]directory.Provider{{Provider: new(account.Provider), Domains: []string{"plain.example"}}},
		[]directory.Source{directory.List{"alias@plain.example": {Alias: target}}}, noMX)
	for address, want := range map[string][2]string{
		"alias@plain.example": {"this address at plain.example is an alias of a mailbox at elsewhere.example, " +
			"which is not hosted here", "add elsewhere.example to a provider"},
		"anna@elsewhere.example": {"elsewhere.example is not hosted here: no provider of signpost.yaml",
			"add the domain to a provider"},
	} {
		a, err := account.ParseAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Resolve(t.Context(), account.Query{Address: a})
		err = addressUnknown(&service.Loaded{File: "signpost.yaml"}, a.Domain(), err)
		text, hint := err.Error(), fault.Hint(err)
		if !strings.HasPrefix(text, want[0]) || !strings.Contains(hint, want[1]) || strings.Contains(text+hint, "secret") {
			t.Errorf("for %s, show says %q with the hint %q, want %q and %q", address, text, hint, want[0], want[1])
		}
	}
}
