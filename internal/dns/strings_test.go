package dns

import (
	"slices"
	"testing"
)

// TestStrings divides the data of TXT records, also of texts that no record can have.
func TestStrings(t *testing.T) {
	for data, want := range map[string][]string{
		"":              nil,
		`"a"`:           {"a"},
		`"a" "b c"`:     {"a", "b c"},
		`"a" "" "b"`:    {"a", "", "b"},
		`a b`:           {"a", "b"},
		`"\229\"\\"`:    {"\xe5\"\\"},
		`"a" "b\299c"`:  {"a", "b"}, // no byte
		`"a" "b\2x9c" `: {"a", "b"},
	} {
		if got := Strings(data); !slices.Equal(got, want) {
			t.Errorf("Strings(%s) = %q, want %q", data, got, want)
		}
	}
}
