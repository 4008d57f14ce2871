package config

import (
	"slices"
	"testing"

	"signpost/internal/golden"
)

// TestCircles loads redirects that lead back here, or may. The service starts with all of
// them, as the host may be the other service's in DNS; only domains whose clients would
// ask the same name again are not redirected.
func TestCircles(t *testing.T) {
	c, err := Load("testdata/circles.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var warnings []byte
	for _, w := range c.Warnings {
		warnings = append(warnings, w.String()+"\n"...)
	}
	golden.Check(t, "testdata/circles.want", warnings)

	var notRedirected []string
	for _, p := range c.Providers {
		for _, domain := range p.Domains {
			if to := p.AutodiscoverRedirect; to.Hostname != "" && to.LeadsBack(domain) {
				notRedirected = append(notRedirected, domain)
			}
		}
	}
	want := []string{"hoster.example", "itself.example", "left.example", "right.example"}
	if !slices.Equal(notRedirected, want) {
		t.Errorf("domains whose redirect leads back = %q, want %q", notRedirected, want)
	}
}
