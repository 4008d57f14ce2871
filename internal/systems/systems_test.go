package systems

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"signpost/account"
)

func TestLoad(t *testing.T) {
	s := Load(t, "mamut")
	want := []string{"gammal@domain.se", "kontakt@domain.se", "mail@domain.se", "info@domain.se"}
	if !slices.Equal(texts(s.Addresses()), want) {
		t.Errorf("Addresses() = %q, want %q", texts(s.Addresses()), want)
	}
	if want := []string{"info@domain.se", "mail@domain.se"}; !slices.Equal(texts(s.Samples()), want) {
		t.Errorf("Samples() = %q, want %q", texts(s.Samples()), want)
	}
	if got := s.Settings(t, s.Listed[2], account.Phone).Provider.ID; got != "business-mail" {
		t.Errorf("provider of %s = %q, want business-mail", s.Listed[2], got)
	}
}

// TestNewSystem adds a file to a copy of the example systems.
func TestNewSystem(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(Root(t), "testdata", "config"))); err != nil {
		t.Fatal(err)
	}
	const text = `providers:
  - id: new
    displayName: New
    domains: [new.example, "*"]
    servers: [{type: jmap, url: "https://jmap.new.example/"}]
accounts:
  - list: {info@new.example: {}}
`
	if err := os.WriteFile(filepath.Join(dir, "new.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all := loadAll(t, dir)
	if got, want := len(all), len(All(t))+1; got != want {
		t.Fatalf("loaded %d systems, want %d", got, want)
	}
	i := slices.IndexFunc(all, func(s System) bool { return s.Name == "new" })
	if i < 0 {
		t.Fatal("the new system is not among those loaded")
	}
	if got, want := texts(all[i].Addresses()), []string{"info@new.example", "anna@new.example"}; !slices.Equal(got, want) {
		t.Errorf("Addresses() = %q, want %q", got, want)
	}
}

func texts(addresses []account.Address) []string {
	all := make([]string, len(addresses))
	for i, a := range addresses {
		all[i] = a.String()
	}
	return all
}
