package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletions lets each shell complete by the generated file.
func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		need(t, shell)
	}
	dir := pages(t)
	for _, row := range []struct{ typed, want string }{
		{"signpost rec", "records"},
		{"signpost p", "presets"},
		{"signpost records -com", "-compare"},
		{"signpost doctor -reso", "-resolver"},
		{"signpost check -config " + dir + "/signpost.ya", "signpost.yaml.5"},
	} {
		for shell, complete := range map[string]func(t *testing.T, dir, typed string) string{
			"bash": completeBash, "zsh": completeZsh, "fish": completeFish,
		} {
			if got := complete(t, dir, row.typed); !strings.Contains(got, row.want) {
				t.Errorf("%s completes %q to %q, want %s", shell, row.typed, got, row.want)
			}
		}
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func completeBash(t *testing.T, dir, typed string) string {
	return output(t, "bash", "-c",
		`source "$1"; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _signpost; echo "${COMPREPLY[@]}"`,
		"bash", filepath.Join(dir, "signpost.bash"), typed)
}

func completeFish(t *testing.T, dir, typed string) string {
	return output(t, "fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`,
		filepath.Join(dir, "signpost.fish"), typed)
}

// completeZsh types into an interactive zsh on a terminal of its own.
func completeZsh(t *testing.T, dir, typed string) string {
	return output(t, "zsh", "-f", "-c", `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy"
zpty -r -m shell line '*ready*'
zpty -w -n shell "$2"$'\t'
sleep 1
zpty -w -n shell $'\x15'"echo do''ne"$'\n'
zpty -r -m shell line '*done*'
print -r -- $line`, "zsh", dir, typed)
}
