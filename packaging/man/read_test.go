package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMain runs the program itself if a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_MAN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestProgram checks the flags and exit statuses of the program.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	fake := filepath.Join(dir, "fake")
	const script = "#!/bin/sh\ncase $1 in help) printf 'Usage:\\n  signpost serve   serve it\\n\\nServes.\\n' ;; *) printf 'Usage: serve\\n\\nServes.\\n' ;; esac\n"
	if err := os.WriteFile(fake, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	const usage = "Usage: man [-program PROGRAM] [-source DIRECTORY] [-date DATE] DIRECTORY\n\n" +
		"Writes manual pages and shell completions into DIRECTORY.\n\n"
	for _, row := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 2, usage},
		{"a b", 2, usage + "  -date DATE\n"},
		{"-h", 0, "-program PROGRAM\n    \tthe PROGRAM whose help is read (default \"signpost\")\n  -source DIRECTORY\n"},
		{"-program none -source ../.. -date 2026-11-21 " + dir, 1, `man: none ["help"]: exec: `},
		{"-program " + fake + " -source none " + dir, 1, "man: open none/internal/config/doc.go: "},
		{"-program " + fake + " -source ../.. -date 2026-13-40 " + dir, 1, "man: parsing time"},
		{"-program " + fake + " -source ../.. -date 2026-11-21 none", 1, "man: open none/signpost-serve.1: "},
		{"-program " + fake + " -source ../.. " + dir, 0, ""},
	} {
		cmd := exec.Command(os.Args[0], strings.Fields(row.args)...)
		cmd.Env = append(os.Environ(), "RUN_MAN=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != row.status || !strings.Contains(stderr.String(), row.want) {
			t.Errorf("man %s: exit status %d and\n%s\nwant %d and %q", row.args, got, &stderr, row.status, row.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "signpost.yaml.5")); err != nil {
		t.Error(err)
	}
}

func TestStandard(t *testing.T) {
	for value, want := range map[string]string{"required": "required", "none": "default: none",
		":443": "default: :443"} {
		if got := (key{Default: value}).Standard(); got != want {
			t.Errorf("Standard of %q = %q, want %q", value, got, want)
		}
	}
}

// TestChapters checks that each key is in the right chapter, and that no chapter comes twice.
func TestChapters(t *testing.T) {
	for name, want := range map[string]string{
		"listen": "the service", "name": "the service", "admin": "the service", "admin.listen": "the service",
		"tls.listen": "tls", "tls.acme.email": "tls", "dns.updates[].zone": "dns",
		"providers[].id": "providers", "providers": "providers", "providers[].servers": "servers of a provider",
		"providers[].servers[].type": "servers of a provider", "accounts": "accounts", "accounts[].list": "accounts",
	} {
		if got := chapterOf(name); got != want {
			t.Errorf("chapterOf(%q) = %q, want %q", name, got, want)
		}
	}
	p, err := readFilePage("../..")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range p.Chapters {
		if slices.Contains(names, c.Name) {
			t.Errorf("the chapter %q comes twice", c.Name)
		}
		names = append(names, c.Name)
	}
	if len(names) < 5 || len(p.Examples) != len(examples) || len(p.Notes) == 0 {
		t.Errorf("the page has the chapters %q, %d examples and %d notes", names, len(p.Examples), len(p.Notes))
	}
}

// TestReadKeys reads tables that are as they should be, and others.
func TestReadKeys(t *testing.T) {
	read := func(comment string) ([]key, []string, error) {
		file := filepath.Join(t.TempDir(), "doc.go")
		text := "// Package x.\n//\n//" + strings.ReplaceAll(comment, "\n", "\n//") + "\npackage x\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return readKeys(file)
	}
	const head = "\tkey   default  meaning\n"
	keys, notes, err := read(head + "\ta     b c      d e\n\t               and f\n\tg     h        i\n\n A note.")
	want := []key{{"a", "b c", "d e and f"}, {"g", "h", "i"}}
	if diff := cmp.Diff(want, keys); diff != "" || err != nil || len(notes) != 1 {
		t.Errorf("readKeys: error %v, notes %q (-want +got):\n%s", err, notes, diff)
	}
	for comment, want := range map[string]string{
		" words":                    "has no table of keys",
		"\tkey  meaning  default":   "the first row of the table is not key, default, meaning: key  meaning  default",
		"\tdefault  meaning":        "the first row of the table is not",
		head + "\ta     b":          "this row does not keep to the columns: a     b",
		head + "\ta     b        ":  "this row does not keep to the columns",
		head + "\tabcdef b       c": "this row does not keep to the columns",
	} {
		if _, _, err := read(comment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("readKeys of %q: error %v, want %q", comment, err, want)
		}
	}
}

// TestReadCommands reads the help of a program.
func TestReadCommands(t *testing.T) {
	texts := map[string]string{
		"help": "Tool.\n\nUsage:\n  signpost serve [-x]   serve it\n  signpost presets   list them\n" +
			"  signpost version\n" + strings.Repeat(" ", 50) + "print it\n\nAbout it.\n",
		"serve -h": "Usage: serve [-x]\n       serve -y FILE [-z off|on]\n\nServes.\n\n  -x\n    \tdoes x\n" +
			"  -y FILE\n    \tdoes y,\n    \tand more\n  -z HOW\n    \tdoes z\n",
		"version -h": "Usage: version\n\nPrints it.\n\n",
		"presets -h": "Usage: presets [NAME]\n\nLists.\n\n",
		"presets":    "NAME   SYSTEM\none    One\nother  The other\n",
	}
	var fails string
	help := func(args ...string) (string, error) {
		line := strings.Join(args, " ")
		if line == fails {
			return "", errors.New(fails + " fails")
		}
		return texts[line], nil
	}
	usage := "  signpost serve [-x]   serve it\n  signpost presets   list them\n" +
		"  signpost version\n" + strings.Repeat(" ", 50) + "print it"
	want := commandPage{Usage: usage, About: "About it.\n", Commands: []command{{
		Name: "serve", Short: "serve it", Usage: "serve [-x]\nserve -y FILE [-z off|on]", About: "Serves.\n\n",
		Flags: []option{
			{Name: "x", About: "    \tdoes x\n"},
			{Name: "y", Operand: "FILE", About: "    \tdoes y,\n    \tand more\n"},
			{Name: "z", Operand: "HOW", About: "    \tdoes z\n", Words: []string{"off", "on"}},
		},
	}, {
		Name: "presets", Short: "list them", Usage: "presets [NAME]", About: "Lists.\n\n", Words: []string{"one", "other"},
	}, {Name: "version", Short: "print it", Usage: "version", About: "Prints it.\n\n"}}}
	got, err := readCommands(help)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("readCommands: error %v (-want +got):\n%s", err, diff)
	}
	for _, fails = range []string{"help", "serve -h", "presets"} {
		if _, err := readCommands(help); err == nil || err.Error() != fails+" fails" {
			t.Errorf("readCommands where %s fails: error %v", fails, err)
		}
	}
	fails = ""
	for text, want := range map[string]string{
		"": "no usage with commands", "Usage:\n  signpost serve   serve it\n": "no usage with commands",
		"Usage:\n  nothing\n\nAbout.\n":        "no usage with commands",
		"Usage:\n  signpost serve\n\nAbout.\n": `does not say what "serve" does`,
	} {
		texts["help"] = text
		if _, err := readCommands(help); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("readCommands of %q: error %v, want %q", text, err, want)
		}
	}
}
