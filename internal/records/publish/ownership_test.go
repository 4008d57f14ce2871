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
	const data = `"v=signpost1 owner=setup.example.net" "autoconfig CNAME 1123456789abcdef" "_ua-auto-config TXT 2123456789abcdef 1795000000" "_imaps._tcp SRV 0123456789abcdef"`
	if got := m.data(); got != data {
		t.Errorf("written as %s", got)
	}
	back, ok := parseOwnership(data)
	if diff := cmp.Diff(m, back, cmp.AllowUnexported(ownership{}, ownedSet{}, setKey{})); diff != "" || !ok {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	for _, text := range []string{"", `""`, `"v=spf1 -all"`, `"v=signpost2 owner=x"`, `"v=signpost1"`, `"`, `\`} {
		if _, ok := parseOwnership(text); ok {
			t.Errorf("%s is no marker", text)
		}
	}
	// Sets that the service could not have written are ignored, even in a valid
	// record.
	got, ok := parseOwnership(`"v=signpost1 owner=x" "www A 0123" "autoconfig MX 0123" "autoconfig" "autoconfig A" "_jmap._tcp SRV 0123 never"`)
	if len(got.sets) != 1 || !ok || !got.sets[setKey{"_jmap._tcp", "SRV"}].until.IsZero() {
		t.Errorf("%v", got)
	}
}

// FuzzOwnership reads what anybody who may write into the zone could put there.
func FuzzOwnership(f *testing.F) {
	f.Add(`"v=signpost1 owner=setup.example.net" "autoconfig CNAME 1123456789abcdef" "_ua-auto-config TXT 2123 1795000000"`)
	f.Add(`"v=signpost1 owner=\"\\\255" "" " "`)
	f.Fuzz(func(t *testing.T, data string) {
		m, ok := parseOwnership(data)
		if !ok {
			return
		}
		again, ok := parseOwnership(m.data())
		if diff := cmp.Diff(m, again, cmp.AllowUnexported(ownership{}, ownedSet{}, setKey{})); diff != "" || !ok {
			t.Errorf("%q came back differently:\n%s", data, diff)
		}
	})
}
