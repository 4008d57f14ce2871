package publish

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOwnership(t *testing.T) {
	m := ownership{owner: "setup.example.net", sets: map[setKey]ownedSet{
		{"_imaps._tcp", "SRV"}:     {digest: "0123456789abcdef"},
		{"autoconfig", "CNAME"}:    {digest: "1123456789abcdef"},
		{"_ua-auto-config", "TXT"}: {digest: "2123456789abcdef", until: time.Unix(1795000000, 0)},
	}}
	const data = `"v=signpost1 owner=setup.example.net" "autoconfig CNAME 1123456789abcdef" ` +
		`"_ua-auto-config TXT 2123456789abcdef 1795000000" "_imaps._tcp SRV 0123456789abcdef"`
	if got := m.data(); got != data {
		t.Errorf("data() = %s, want %s", got, data)
	}
	back, ok := parseOwnership(data)
	if diff := cmp.Diff(m, back, cmp.AllowUnexported(ownership{}, ownedSet{}, setKey{})); diff != "" || !ok {
		t.Errorf("parseOwnership(%s): ok %v; (-want +got):\n%s", data, ok, diff)
	}
	for _, text := range []string{"", `""`, `"v=spf1 -all"`, `"v=signpost2 owner=x"`, `"v=signpost1"`, `"`, `\`} {
		if _, ok := parseOwnership(text); ok {
			t.Errorf("parseOwnership(%s) succeeds, want that it is no marker", text)
		}
	}
	// Sets that Signpost never writes are not its own, whatever the marker says.
	const odd = `"v=signpost1 owner=x" "www A 0123" "autoconfig MX 0123" "autoconfig" "autoconfig A" ` +
		`"_jmap._tcp SRV 0123 never"`
	got, ok := parseOwnership(odd)
	if len(got.sets) != 1 || !ok || !got.sets[setKey{"_jmap._tcp", "SRV"}].until.IsZero() {
		t.Errorf("parseOwnership(%s) = %v, %v, want only _jmap._tcp SRV, without a time", odd, got, ok)
	}
}

// FuzzOwnership reads texts that anybody who may write into the zone could put there.
func FuzzOwnership(f *testing.F) {
	f.Add(`"v=signpost1 owner=setup.example.net" "autoconfig CNAME 1123456789abcdef" ` +
		`"_ua-auto-config TXT 2123 1795000000"`)
	f.Add(`"v=signpost1 owner=\"\\\255" "" " "`)
	f.Fuzz(func(t *testing.T, data string) {
		m, ok := parseOwnership(data)
		if !ok {
			return
		}
		again, ok := parseOwnership(m.data())
		if diff := cmp.Diff(m, again, cmp.AllowUnexported(ownership{}, ownedSet{}, setKey{})); diff != "" || !ok {
			t.Errorf("parseOwnership(%q), written and read again: ok %v; (-first +again):\n%s", data, ok, diff)
		}
	})
}
