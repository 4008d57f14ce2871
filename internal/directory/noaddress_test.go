package directory

import (
	"context"
	"crypto/md5"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
)

// mixed returns a directory of a hoster whose domains differ in what their accounts have.
func mixed(t *testing.T, lists ...List) *Directory {
	imap := []account.Server{{Type: account.IMAP, Hostname: "imap.hoster.example",
		Login: account.Login{Username: account.EmailAddress}}}
	office := []account.Server{{Type: account.IMAP, Hostname: "imap.office.se",
		Login: account.Login{Username: account.EmailAddress}}}
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	return New([]Provider{
		{Provider: &account.Provider{ID: "mail", Servers: imap}, MX: []string{"mx.hoster.example"},
			Domains: []string{"plain.se", "same.se", "product.se", "name.se", "alias.se", "inner.se", "xn--keriet-hua.se",
				"other.se"},
			Aliases: map[string]string{"other.se": "product.se"}},
		{Provider: &account.Provider{ID: "office", Servers: office}, Domains: []string{"office.se", "hoster.example"}},
		{Provider: &account.Provider{ID: "secret", Servers: imap, NothingWithoutAddress: true}, Domains: []string{"secret.se"}},
		{Provider: &account.Provider{ID: "moving", Servers: imap, AliasSignsInAsMailbox: true}, Domains: []string{"moving.se"}},
	}, append(lists, List{
		"a@same.se":             {Provider: "mail", DisplayName: "A"},
		"b@same.se":             {Inactive: true},
		"boss@product.se":       {Provider: "office"},
		"boss@name.se":          {Username: "u1"},
		"boss@alias.se":         {Alias: mail(t, "anna@office.se")},
		"info@inner.se":         {Alias: mail(t, "anna@inner.se")},
		"åsa@xn--keriet-hua.se": {Provider: "office"},
		"boss@secret.se":        {Provider: "office"},
		"info@moving.se":        {Alias: mail(t, "anna@moving.se")},
	}), noMX)
}

// TestWithoutAddress checks what is told without an address, at the URL that is asked
// first and at one that is asked after a refusal.
func TestWithoutAddress(t *testing.T) {
	d := mixed(t)
	for domain, want := range map[string]struct{ first, later error }{
		"plain.se":        {nil, nil},
		"same.se":         {nil, nil},
		"inner.se":        {nil, nil},
		"office.se":       {nil, nil},
		"product.se":      {nil, account.ErrAddressRequired},
		"other.se":        {nil, account.ErrAddressRequired}, // is another name of product.se
		"name.se":         {nil, account.ErrAddressRequired},
		"alias.se":        {nil, account.ErrAddressRequired},
		"moving.se":       {nil, account.ErrAddressRequired},
		"hoster.example":  {nil, account.ErrAddressRequired}, // customers come here, too
		"secret.se":       {account.ErrAddressRequired, account.ErrAddressRequired},
		"unknown.example": {account.ErrUnknownDomain, account.ErrUnknownDomain},
	} {
		for fallback, want := range map[bool]error{false: want.first, true: want.later} {
			_, err := d.Resolve(t.Context(), account.Query{Host: "autoconfig." + domain, Fallback: fallback})
			if !errors.Is(err, want) || err != nil && !account.IsUnknown(err) {
				t.Errorf("Resolve at autoconfig.%s, fallback %v: %v, want %v", domain, fallback, err, want)
			}
		}
	}
	// With an address, or one that cannot be read, nothing is kept.
	for _, a := range []account.Address{mail(t, "x@secret.se"), account.AnyAt("secret.se")} {
		if s, err := d.Resolve(t.Context(), account.Query{Address: a}); err != nil || s.Provider.ID != "secret" {
			t.Errorf("Resolve(%s) = %v, %v, want the provider secret", a, s.Provider, err)
		}
	}
}

// TestMD5 checks that a sum gets what its account has, that any other gets what an
// unlisted mailbox has, and that no answer holds the address.
func TestMD5(t *testing.T) {
	d := mixed(t)
	for _, test := range []struct{ sent, domain, provider, username string }{
		{"boss@product.se", "product.se", "office", account.EmailAddress},
		{"boss@other.se", "other.se", "office", "%EMAILLOCALPART%@product.se"},
		{"åsa@åkeriet.se", "xn--keriet-hua.se", "office", account.EmailAddress},
		{"åsa@xn--keriet-hua.se", "xn--keriet-hua.se", "office", account.EmailAddress},
		{"boss@name.se", "name.se", "mail", "u1"},
		{"info@moving.se", "moving.se", "moving", "anna@moving.se"}, // as with the address
		{"nobody@product.se", "product.se", "mail", account.EmailAddress},
		{"boss@product.se", "name.se", "mail", account.EmailAddress}, // the account of another domain
		{"b@same.se", "same.se", "mail", account.EmailAddress},
	} {
		q := account.Query{Address: account.AnyAt(test.domain), MD5: md5.Sum([]byte(test.sent))}
		s, err := d.Resolve(t.Context(), q)
		if err != nil {
			t.Errorf("Resolve of the sum of %s: %v", test.sent, err)
			continue
		}
		username := s.Expanded()[0].Login.Username
		if s.Provider.ID != test.provider || username != test.username || s.Address != q.Address {
			t.Errorf("Resolve of the sum of %s at %s = %s, user name %s, for %s; want %s, %s, for any mailbox",
				test.sent, test.domain, s.Provider.ID, username, s.Address, test.provider, test.username)
		}
		unlisted, err := d.Resolve(t.Context(), account.Query{Address: q.Address})
		if err != nil {
			t.Fatal(err)
		}
		if test.provider == "mail" && test.username == account.EmailAddress {
			if s.Provider != unlisted.Provider || s.Login != unlisted.Login || s.Custom ||
				s.Account != unlisted.Account {
				t.Errorf("Resolve of the sum of %s = %+v, want what an unlisted mailbox gets: %+v",
					test.sent, s, unlisted)
			}
		}
	}
}

// TestMisled checks whom the operator is told about.
func TestMisled(t *testing.T) {
	// A List may hold a key that is no address, which misleads nobody.
	misled := mixed(t, List{"boss": {Username: "u1"}}).Misled()
	if ids := slices.Sorted(maps.Keys(misled)); !slices.Equal(ids, []string{"mail", "moving", "office"}) {
		t.Fatalf("Misled has the providers %v, want mail, moving and office", ids)
	}
	for id, want := range map[string][]string{
		"mail": {"In alias.se, .* for boss@alias.se", "In name.se, .* for boss@name.se", "In product.se, .* for boss@product.se",
			"In xn--keriet-hua.se, .* for åsa@xn--keriet-hua.se"},
		"moving": {"In moving.se, .* for info@moving.se"},
		"office": {"Customers of mail, moving, secret whose MX host is below hoster.example: .* asks autoconfig.hoster.example"},
	} {
		checkSentences(t, id, misled[id], want)
	}
}

// TestMisledCustomers checks the warning for customers of a hoster whose own staff have
// another provider, where no MX host is configured, and accounts in any domain.
func TestMisledCustomers(t *testing.T) {
	at := func(id, host string) *account.Provider {
		return &account.Provider{ID: id, Servers: []account.Server{{Type: account.IMAP, Hostname: host}}}
	}
	accounts := List{}
	for _, local := range []string{"a", "b", "c", "d", "e"} {
		accounts[local+"@any.example"] = Record{Provider: "office"}
	}
	d := New([]Provider{
		{Provider: at("office", "office.hoster.example"), Domains: []string{"hoster.example"}},
		{Provider: at("hosting", "mail.hoster.example"), Domains: []string{"customer.example", "*"}},
		{Provider: at("same", "office.hoster.example"), Domains: []string{"same.example"}},
	}, []List{accounts}, nil)
	misled := d.Misled()
	checkSentences(t, "office", misled["office"],
		[]string{"Customers of hosting whose MX host is below hoster.example: "})
	checkSentences(t, "hosting", misled["hosting"],
		[]string{"In any.example, .* for a@any.example, b@any.example, c@any.example and 2 more"})
}

// checkSentences compares what is said of a provider with patterns for the beginnings.
func checkSentences(t *testing.T, id string, got, want []string) {
	t.Helper()
	same := func(sentence, pattern string) bool {
		return regexp.MustCompile("^"+pattern).MatchString(sentence) &&
			strings.Contains(sentence, "withoutAddress: nothing")
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("Misled says %q of %s, want %q", got, id, want)
	}
}
