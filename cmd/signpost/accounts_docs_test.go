package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"signpost/internal/config"
	"signpost/internal/sources/rig"
)

// grantLine matches a GRANT of docs/accounts: the columns, the table and the user.
var grantLine = regexp.MustCompile(`(?m)^GRANT SELECT (?:(\([^)]*\)) )?ON (?:[a-z]+\.)?("?[a-z_]+"?) TO signpost(?:@'[^']+')?;$`)

// TestAccountPages looks for the page of each preset and for its lines there. The rights
// that a page gives must be those with which the preset is tested.
func TestAccountPages(t *testing.T) {
	granted := 0
	for _, p := range config.Presets() {
		data, err := os.ReadFile(filepath.Join(root, "docs/accounts", p.Name+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		page := string(data)
		if strings.Count(page, "  - "+p.Name+":\n") < 2 {
			t.Errorf("the page of %s lacks the lines of the preset, alone and in a whole configuration", p.Name)
		}
		overview, err := os.ReadFile(filepath.Join(root, "docs/accounts.md"))
		if err != nil || !strings.Contains(string(overview), "(accounts/"+p.Name+".md)") {
			t.Errorf("docs/accounts.md does not lead to the page of %s (%v)", p.Name, err)
		}
		want := slices.Sorted(slices.Values(rig.Grants(p.Name)))
		for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(page, -1) {
			granted++
			var got []string
			for _, m := range grantLine.FindAllStringSubmatch(block[1], -1) {
				got = append(got, strings.TrimSpace(m[2]+" "+m[1]))
			}
			slices.Sort(got)
			if !slices.Equal(got, want) || strings.Count(block[1], "GRANT") != len(got) {
				t.Errorf("the page of %s grants %q, but the preset is tested with %q", p.Name, got, want)
			}
		}
	}
	if granted < 12 {
		t.Errorf("the pages hold %d blocks of GRANT, want at least 12", granted)
	}
}
