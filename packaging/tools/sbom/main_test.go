package main

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// TestWrite compares the bill of materials of Signpost with what its binary says of itself.
func TestWrite(t *testing.T) {
	binary, out := filepath.Join(t.TempDir(), "signpost"), filepath.Join(t.TempDir(), "bom.json")
	build := exec.Command("go", "build", "-o", binary, "./cmd/signpost")
	build.Dir = "../../.."
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	if err := write(out, binary, []string{"example.com/Roots@v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.Metadata.Component.Name != info.Main.Path {
		t.Errorf("the bill is of %q in version %v, want signpost in 1.6", bom.Metadata.Component.Name, bom.SpecVersion)
	}
	found := map[string]cdx.Component{}
	for _, c := range *bom.Components {
		found[c.Name+"@"+c.Version] = c
		// Names of the type golang are in lower case (github.com/package-url/purl-spec).
		want := "pkg:golang/" + strings.ToLower(c.Name) + "@" + c.Version
		if c.PackageURL != want || c.BOMRef != want {
			t.Errorf("%s has the package URL %q and the reference %q, want %q", c.Name, c.PackageURL, c.BOMRef, want)
		}
	}
	for _, dep := range info.Deps {
		c, ok := found[dep.Path+"@"+dep.Version]
		if !ok || c.Hashes == nil || len((*c.Hashes)[0].Value) != 64 {
			t.Errorf("the bill has %s %s: %t, with the check sum %v", dep.Path, dep.Version, ok, c.Hashes)
		}
	}
	for _, name := range []string{"std@" + strings.TrimPrefix(info.GoVersion, "go"), "example.com/Roots@v1.2.3"} {
		if _, ok := found[name]; !ok {
			t.Errorf("the bill lacks %s", name)
		}
	}
	if want := len(info.Deps) + 2; len(found) != want || len(*(*bom.Dependencies)[0].Dependencies) != want {
		t.Errorf("the bill has %d components and %d dependencies, want %d",
			len(found), len(*(*bom.Dependencies)[0].Dependencies), want)
	}
	if err := write(out, binary, []string{"roots"}); err == nil {
		t.Error("a module without a version is taken")
	}
}
