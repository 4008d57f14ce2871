package config

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/internal/dns"
)

const tsigKey = "key \"signpost\" {\n\talgorithm hmac-sha512;\n\tsecret \"c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA=\";\n};\n"

func TestUpdates(t *testing.T) {
	file := write(t, "signpost.yaml", `dns:
  addresses: [192.0.2.1, "2001:db8::1"]
  ttl: 5m
  caaIdentities: CA.example
  updates:
    - {zone: Example.com, primary: ns1.example.com, keyFile: key}
    - zone: "*"
      primary: "[2001:db8::53]:5353"
      key: {name: other, secret: c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA=}
`+minimal, "key", tsigKey)
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	addresses := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	if !slices.Equal(c.DNS.Addresses, addresses) {
		t.Errorf("dns.addresses = %v, want %v", c.DNS.Addresses, addresses)
	}
	if got := c.DNS.TTL.String(); got != "5m0s" {
		t.Errorf("dns.ttl = %s, want 5m0s", got)
	}
	if got := c.ProxyIdentities(); !slices.Equal(got, []string{"ca.example"}) {
		t.Errorf("ProxyIdentities() = %v, want [ca.example]", got)
	}
	if got := new(Config).ProxyIdentities(); len(got) == 0 || got[0] != "letsencrypt.org" {
		t.Errorf("ProxyIdentities() of a configuration without dns.caaIdentities = %v, want those of Caddy", got)
	}
	const secret = "c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA="
	want := []dns.Update{
		{Zone: "example.com", Primary: "ns1.example.com",
			Key: dns.Key{Name: "signpost", Algorithm: "hmac-sha512", Secret: secret}},
		{Zone: "*", Primary: "[2001:db8::53]:5353",
			Key: dns.Key{Name: "other", Algorithm: "hmac-sha256", Secret: secret}},
	}
	got, err := c.Updates()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Updates() error %v (-want +got):\n%s", err, diff)
	}
}

// TestUpdatesFaults checks that a key file is named with the line of the
// configuration, and that all bad key files are reported.
func TestUpdatesFaults(t *testing.T) {
	file := write(t, "signpost.yaml", `dns:
  updates:
    - {zone: a.example, primary: ns1.example.com, keyFile: missing}
    - {zone: b.example, primary: ns1.example.com, keyFile: broken}
    - {zone: c.example, primary: ns1.example.com, keyFile: key}
`+minimal, "key", tsigKey, "broken", "secret")
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Updates()
	in := func(name string) string { return filepath.Join(filepath.Dir(file), name) }
	missing := file + `:3: dns.updates[0].keyFile: cannot read "` + in("missing") + `": no such file or directory`
	broken := file + `:4: dns.updates[1].keyFile: ` + in("broken") + ": "
	if err == nil || !strings.HasPrefix(err.Error(), missing+"\n"+broken) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("Updates() error:\n%v\nwant two lines that begin with\n%s\n%s", err, missing, broken)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].String() != missing {
		t.Errorf("warnings %v, want only the one about the missing file, in the same words", c.Warnings)
	}
}

// TestUpdatesShortSecret checks that a key which no server accepts is a fault when records
// are published or checked, with its line, and that it does not keep the service from
// starting.
func TestUpdatesShortSecret(t *testing.T) {
	file := write(t, "signpost.yaml", `dns:
  updates:
    - {zone: example.com, primary: ns1.example.com, key: {name: signpost, secret: c2hvcnQ=}}
`+minimal)
	c, err := Load(file)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	_, err = c.Updates()
	want := file + ":3: dns.updates[0].key: the key's secret has 5 bytes, at least 16 are needed"
	if err == nil || err.Error() != want {
		t.Errorf("Updates() error = %v, want %s", err, want)
	}
}

// TestUpdatesShape checks that a value of another kind is answered with the right one.
func TestUpdatesShape(t *testing.T) {
	file := write(t, "signpost.yaml", "dns: {updates: ns1.example.com}\n"+minimal)
	want := file + `:1: dns.updates: "ns1.example.com" is not a list of {zone: …, primary: …, keyFile: …}; begin each item with "- "`
	if _, err := Load(file); err == nil || err.Error() != want {
		t.Errorf("Load() error = %v, want %s", err, want)
	}
}
