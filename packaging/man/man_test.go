package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages builds the program and writes its pages into a new directory.
func pages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-o", program, "signpost/cmd/signpost").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if err := write(program, "../..", "2026-11-21", dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

// TestPages formats the pages with mandoc and groff, and checks that the result shows
// the help of the program and the table of keys.
func TestPages(t *testing.T) {
	need(t, "mandoc")
	need(t, "groff")
	dir := pages(t)
	seen := map[string]string{}
	command, err := readCommands(func(args ...string) (string, error) {
		out, err := exec.Command(filepath.Join(dir, "program"), args...).Output()
		return string(out), err
	})
	if err != nil {
		t.Fatal(err)
	}
	commands := command.Names()
	if len(commands) < 6 {
		t.Errorf("the program has the commands %q, want at least 6", commands)
	}
	names := []string{"signpost.1", "signpost.yaml.5"}
	for _, command := range commands {
		names = append(names, "signpost-"+command+".1")
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		title, section := strings.ToUpper(strings.TrimSuffix(name, filepath.Ext(name))), filepath.Ext(name)[1:]
		head := ".Dd November 21, 2026\n.Dt " + strings.ReplaceAll(title, "-", `\-`) + " " + section + "\n.Os\n"
		if !strings.HasPrefix(string(page), head) {
			t.Errorf("%s begins with %.60q, want %q", name, page, head)
		}
		out, _ := exec.Command("mandoc", "-Tlint", "-Wstyle", path).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			// Other pages need not be installed.
			if !strings.Contains(line, "referenced manual not found") && !strings.Contains(line, "mandoc.db") {
				t.Errorf("mandoc: %s", line)
			}
		}
		groff := exec.Command("groff", "-k", "-Tutf8", "-mdoc", "-ww", path)
		warnings := new(strings.Builder)
		groff.Stderr = warnings
		if _, err := groff.Output(); err != nil || warnings.Len() > 0 {
			t.Errorf("groff: %v\n%s", err, warnings)
		}
		text, err := exec.Command("mandoc", "-Tutf8", "-Owidth=250", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		plain := regexp.MustCompile(`.\x08`).ReplaceAllString(string(text), "")
		seen[name] = strings.Join(strings.Fields(plain), " ")
	}

	keys, _, err := readKeys("../../internal/config/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../../internal/config/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	// A second, simpler reading of the table: its rows are the lines with a tab and a key.
	if rows := len(regexp.MustCompile(`\n//\t\S`).FindAll(source, -1)) - 1; rows != len(keys) || rows < 100 {
		t.Errorf("readKeys returned %d keys, but the table has %d rows (want at least 100)", len(keys), rows)
	}
	for _, k := range keys {
		want := strings.Join(strings.Fields(k.Name+" "+k.Meaning+" ("+k.Standard()+")"), " ")
		if !strings.Contains(seen["signpost.yaml.5"], want) {
			t.Errorf("signpost.yaml(5) does not show %q", want)
		}
	}
	program := filepath.Join(dir, "program")
	for _, command := range commands {
		if !strings.Contains(seen["signpost.1"], "signpost-"+command+"(1)") {
			t.Errorf("signpost(1) does not name signpost-%s(1)", command)
		}
		help, err := exec.Command(program, command, "-h").Output()
		if err != nil {
			t.Fatal(err)
		}
		_, flags, _ := strings.Cut(string(help), "\n\n")
		for line := range strings.Lines(flags) {
			want := strings.Join(strings.Fields(line), " ")
			if strings.HasPrefix(line, "  ") && !strings.Contains(seen["signpost-"+command+".1"], want) {
				t.Errorf("signpost-%s(1) does not show %q", command, want)
			}
		}
	}
}

// TestEscapes checks that the formatter interprets nothing of a text.
func TestEscapes(t *testing.T) {
	got := text(`.Nm 'br \fBbold Two. .Sh Three`) + literal(".Ed\n'so /etc/passwd\n\\n[x]\n")
	for _, arg := range []string{"Ar", ",", `a "b" c`, "", "-x^~`y"} {
		got += argument(arg) + "\n"
	}
	want := `\&.Nm \(aqbr \efBbold Two.
\&.Sh Three
.Bd -literal -offset indent
\&.Ed
\(aqso /etc/passwd
\en[x]
.Ed
\&Ar
\&,
"a \(dqb\(dq c"
""
\-x\(ha\(ti\(gay
`
	if got != want {
		t.Errorf("the texts are:\n%s\nwant:\n%s", got, want)
	}
}
