package main

import (
	"regexp"
	"strings"
)

// completions returns the completions of the commands and their flags by the names of their
// files: for bash, zsh and fish.
func completions(p commandPage) map[string]string {
	return map[string]string{"signpost.bash": bash(p), "_signpost": zsh(p), "signpost.fish": fish(p)}
}

// withHelp returns the commands, and before them help, which takes the name of one.
func (p commandPage) withHelp() []command {
	return append([]command{{Name: "help", Short: "explain a command", Words: p.Names()}}, p.Commands...)
}

// takesFile reports whether the flag's operand is a file or a directory.
func (o option) takesFile() bool { return o.Operand == "FILE" || o.Operand == "DIRECTORY" }

// usageOfFlags matches the flags in a usage, with their operands.
var usageOfFlags = regexp.MustCompile(`\[-[^\]]*\]|-[a-z-]+ [A-Z]+`)

// takesFiles reports whether the command's operands are files.
func (c command) takesFiles() bool {
	return strings.Contains(usageOfFlags.ReplaceAllString(c.Usage, ""), "FILE")
}

// firstSentence returns the first line's worth of a flag's meaning.
func (o option) firstSentence() string {
	about := strings.Join(strings.Fields(o.About), " ")
	for _, end := range []string{". ", "; ", ", "} {
		about, _, _ = strings.Cut(about, end)
	}
	return about
}
