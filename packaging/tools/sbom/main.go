// Sbom writes the bill of materials of a Go binary in CycloneDX's JSON format: the modules that
// are in it, with their versions and check sums, as the binary itself says, and those that are
// named, from which other files of the release come.
//
//	go run ./sbom -o signpost-1.2.3.cdx.json signpost-linux-amd64 example.com/module@v1.2.3
package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	out := flag.String("o", "", "the `FILE` to write")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: sbom -o FILE BINARY [MODULE@VERSION…]\n\n"+
			"Writes the modules that are in a Go binary, and those named, as a bill of materials, CycloneDX 1.6.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *out == "" || flag.NArg() < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*out, flag.Arg(0), flag.Args()[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(out, binary string, also []string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	bom := cdx.NewBOM()
	main := module(info.Main.Path, info.Main.Version, "")
	main.Type = cdx.ComponentTypeApplication
	bom.Metadata = &cdx.Metadata{Component: &main}
	needs := []string{}
	components := []cdx.Component{module("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		components = append(components, module(dep.Path, dep.Version, dep.Sum))
	}
	for _, named := range also {
		path, version, ok := strings.Cut(named, "@")
		if !ok {
			return fmt.Errorf("%q is not MODULE@VERSION", named)
		}
		components = append(components, module(path, version, ""))
	}
	for _, c := range components {
		needs = append(needs, c.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &needs}}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	encoder := cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true)
	if err := encoder.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return err
	}
	return f.Close()
}

// module returns a Go module as a component, under its package URL
// (github.com/package-url/purl-spec, type golang, whose names are in lower case).
func module(path, version, sum string) cdx.Component {
	purl := "pkg:golang/" + strings.ToLower(path) + "@" + version
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: purl, Name: path, Version: version, PackageURL: purl}
	// h1: is the SHA-256 of a list of the module's files (golang.org/x/mod/sumdb/dirhash).
	if hash, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(hash) == 32 {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(hash)}}
	}
	return c
}
