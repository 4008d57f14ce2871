package conn

import (
	"net/netip"
	"testing"
)

func TestBlocks(t *testing.T) {
	for _, row := range []struct {
		one, other string
		same       bool
		name       string // of one
	}{
		{"192.0.2.1", "192.0.2.1", true, "192.0.2.1/32"},
		{"192.0.2.1", "::ffff:192.0.2.1", true, "192.0.2.1/32"},
		{"192.0.2.1", "192.0.2.2", false, "192.0.2.1/32"},
		{"2001:db8::1", "2001:db8::ffff:1", true, "2001:db8::/64"},
		{"2001:db8::1", "2001:db8:0:1::1", false, "2001:db8::/64"},
		{"64:ff9b::c000:201", "64:ff9b::c000:202", false, "64:ff9b::c000:201/128"}, // two clients behind NAT64
		{"64:ff9b::c000:201", "192.0.2.1", true, "64:ff9b::c000:201/128"},
		{"64:ff9b:1::1", "64:ff9b:1::2", true, "64:ff9b:1::/64"},
	} {
		one, other := netip.MustParseAddr(row.one), netip.MustParseAddr(row.other)
		if same := BlockOf(one) == BlockOf(other); same != row.same {
			t.Errorf("%s and %s are in the same block: %v, want %v", one, other, same, row.same)
		}
		if name := BlockName(one); name != row.name {
			t.Errorf("BlockName(%s) = %s, want %s", one, name, row.name)
		}
	}
	if name := BlockName(netip.Addr{}); name != "unknown" {
		t.Errorf("BlockName of no address = %q, want unknown", name)
	}
}

func TestWideBlocks(t *testing.T) {
	for _, row := range []struct {
		one, other string
		same       bool
	}{
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:ffff::1", true},
		{"2001:db8::1", "2001:db8:1::1", false},
	} {
		one, other := netip.MustParseAddr(row.one), netip.MustParseAddr(row.other)
		if same := WideBlockOf(one) == WideBlockOf(other); same != row.same {
			t.Errorf("%s and %s are in the same /48: %v, want %v", one, other, same, row.same)
		}
		if WideBlockOf(one) == BlockOf(one) {
			t.Errorf("the /48 of %s is the same block as its /64", one)
		}
	}
	for _, addr := range []string{"192.0.2.1", "::ffff:192.0.2.1", "64:ff9b::c000:201"} {
		if wide := WideBlockOf(netip.MustParseAddr(addr)); wide != 0 {
			t.Errorf("WideBlockOf(%s) = %x, want none for an IPv4 client", addr, wide)
		}
	}
	if wide := WideBlockOf(netip.Addr{}); wide != 0 {
		t.Errorf("WideBlockOf of no address = %x, want none", wide)
	}
}
