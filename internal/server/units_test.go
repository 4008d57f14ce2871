package server

import (
	"slices"
	"strings"
	"testing"
)

// TestItemsFromEnd checks that empty items count: a proxy that puts its list behind a client's
// comma must not lose a place.
func TestItemsFromEnd(t *testing.T) {
	for lines, want := range map[string][]string{
		"": {""}, "a": {"a"}, "a, b": {"b", "a"}, ",a": {"a", ""}, "a,": {"", "a"}, "a|b,\tc": {"c", "b", "a"},
	} {
		if got := slices.Collect(itemsFromEnd(strings.Split(lines, "|"))); !slices.Equal(got, want) {
			t.Errorf("itemsFromEnd(%q) = %q, want %q", lines, got, want)
		}
	}
}

// TestIsID checks which identifiers of a proxy are taken over into the log.
func TestIsID(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "1234567": false, "12345678": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
		"0123abcd-4567-89EF-0123-456789abcdef": true, "12345678x": false, "1234 5678": false,
	} {
		if got := isID(text); got != want {
			t.Errorf("isID(%q) = %v, want %v", text, got, want)
		}
	}
}

// TestBucket checks the last request that is allowed, and the first that is not.
func TestBucket(t *testing.T) {
	rate := Rate{interval: 10, burst: 30}
	for full, want := range map[int64]int64{0: 0, 20: 0, 21: 1, 30: 10} {
		b := bucket{full: full}
		if got := b.allow(rate, 0); int64(got) != want {
			t.Errorf("a bucket filled to %d has to wait %d, want %d", full, got, want)
		}
	}
}
