// Man writes the manual pages signpost(1), one for each command such as signpost-check(1), and
// signpost.yaml(5), and the completions for bash, zsh and fish. It takes their text
// from the help of each command and from the table of keys that documents package
// config. Only what neither of them says is written in this package.
//
//	go run ./packaging/man -program signpost -date 2026-11-21 DIRECTORY
package main

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	program := flag.String("program", "signpost", "the `PROGRAM` whose help is read")
	source := flag.String("source", ".", "the `DIRECTORY` of the module")
	date := flag.String("date", time.Now().UTC().Format(time.DateOnly), "the `DATE` of the pages")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Usage: man [-program PROGRAM] [-source DIRECTORY] [-date DATE] "+
			"DIRECTORY\n\nWrites manual pages and shell completions into DIRECTORY.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*program, *source, *date, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// write writes the pages and the completions into dir.
func write(program, source, date, dir string) error {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return err
	}
	help := func(args ...string) (string, error) {
		out, err := exec.Command(program, args...).Output()
		if err != nil {
			return "", fmt.Errorf("%s %q: %w", program, args, err)
		}
		return string(out), nil
	}
	command, err := readCommands(help)
	if err != nil {
		return err
	}
	file, err := readFilePage(source)
	if err != nil {
		return err
	}
	when := day.Format("January 2, 2006")
	pages := map[string]any{
		"signpost.1":      map[string]any{"Day": when, "Command": command},
		"signpost.yaml.5": map[string]any{"Day": when, "File": file},
	}
	for _, c := range command.Commands {
		pages["signpost-"+c.Name+".1"] = map[string]any{"Day": when, "Command": c}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		template := name + ".tmpl"
		if strings.HasPrefix(name, "signpost-") {
			template = "signpost-command.1.tmpl"
		}
		var page bytes.Buffer
		if err := templates.ExecuteTemplate(&page, template, pages[name]); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), page.Bytes(), 0o644); err != nil {
			return err
		}
	}
	for name, text := range completions(command) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
