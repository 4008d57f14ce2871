package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCompletions types into each shell, as an operator does, and compares the words that the
// shell then gives to the command.
func TestCompletions(t *testing.T) {
	dir := pages(t)
	work := t.TempDir()
	for _, name := range []string{"folder/inner/one.yaml", "folder/with blank.yaml", "quotas"} {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct{ typed, want string }{
		{"rec\t", "records"},
		{"pr\tmailc\t", "presets|mailcow"},
		{"he\tdoc\t", "help|doctor"},
		{"help v\t", "help|version"},
		{"records -com\t", "records|-compare"},
		{"doctor -reso\t", "doctor|-resolver"},
		{"records -format oct\t", "records|-format|octodns"},
		{"doctor -fail-on w\t", "doctor|-fail-on|warning"},
		{"check -config fol\t", "check|-config|folder/"},
		{"check -config fol\tinn\to\t", "check|-config|folder/inner/one.yaml"},
		{"check -config fol\tw\t-j\t", "check|-config|folder/with blank.yaml|-json"},
		{"check -config=fol\tw\t", "check|-config=folder/with blank.yaml"},
		{"check -config ./fol\tinn\to\t", "check|-config|./folder/inner/one.yaml"},
		{"show a@b.example -j\t", "show|a@b.example|-json"},
		{"import fol\tinn\t", "import|folder/inner/"},
		{"import -forc\t-format nginx qu\t", "import|-force|-format|nginx|quotas"},
		// These take no file, and "quotas" is one.
		{"show qu\t", "show|qu"},
		{"presets qu\t", "presets|qu"},
		{"serve -listen qu\t", "serve|-listen|qu"},
	}
	var lines []string
	for _, row := range rows {
		lines = append(lines, "signpost "+row.typed)
	}
	for _, shell := range []struct{ name, command, setUp string }{
		{"bash", "bash --norc --noprofile -i", `source "$PAGES/signpost.bash"; PS1='next> '`},
		{"zsh", "zsh -f -i", `fpath=($PAGES $fpath); autoload -Uz compinit; compinit -u -D
			unsetopt auto_remove_slash; PS1='next> '`},
		{"fish", "fish --no-config -i", `source "$PAGES/signpost.fish"; function fish_prompt; echo -n 'next> '; end`},
	} {
		t.Run(shell.name, func(t *testing.T) {
			need(t, shell.name)
			screens := typeInto(t, work, []string{"PAGES=" + dir, "TERM=dumb"}, shell.command, shell.setUp, lines)
			for i, row := range rows {
				printed := wordsPrinted.FindString(screens[i])
				got := strings.Trim(strings.ReplaceAll(printed, ")(", "|"), "()")
				if want := "signpost|" + row.want; got != want {
					t.Errorf("%q becomes %q, want %q; the terminal shows\n%q", lines[i], got, want, screens[i])
				}
			}
		})
	}
}

// typist is a script of zsh, which has terminals: it types lines into a shell and, in place of
// running them, lets the shell print their words. It waits for the prompt before each line.
const typist = `
zmodload zsh/zpty
zpty shell $1
zpty -w shell "$2"
zpty -w shell "echo do''ne"
zpty -r -m shell line '*done*next> *'
for typed in "${@:3}"; do
  zpty -w -n shell "$typed"$'\x01printf "(%s)" \n'
  zpty -w shell "echo do''ne"
  zpty -r -m shell line '*done*next> *'
  print -r -- "$line"
  print -r -- '----'
done
`

// wordsPrinted matches what a shell prints: its words, each in parentheses.
var wordsPrinted = regexp.MustCompile(`\(signpost\)(\([^()]*\))*`)

// typeInto types lines into a shell and returns what its terminal shows for each.
func typeInto(t *testing.T, work string, env []string, command, setUp string, lines []string) []string {
	t.Helper()
	need(t, "zsh")
	cmd := exec.Command("zsh", append([]string{"-f", "-c", typist, "zsh", command, setUp}, lines...)...)
	cmd.Dir, cmd.Env = work, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	screens := strings.Split(string(out), "----\n")
	if err != nil || len(screens) != len(lines)+1 {
		t.Fatalf("%s: %v; the terminal shows\n%q", command, err, out)
	}
	return screens
}
