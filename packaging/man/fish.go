package main

import (
	"fmt"
	"strings"
)

// fish returns the completion for fish.
func fish(p commandPage) string {
	var b strings.Builder
	b.WriteString(`# Completion of signpost(1) for fish.

# Reports whether the command is the one that is given, or whether there is none.
function __signpost_command
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end

complete -c signpost -f
`)
	for _, c := range p.withHelp() {
		fmt.Fprintf(&b, "complete -c signpost -n '__signpost_command \"\"' -a %s -d %s\n", c.Name, fishQuote(c.Short))
	}
	for _, c := range p.withHelp() {
		begin := "complete -c signpost -n '__signpost_command " + c.Name + "'"
		if c.takesFiles() {
			b.WriteString(begin + " -F\n")
		}
		if c.Words != nil {
			fmt.Fprintf(&b, "%s -a '%s'\n", begin, strings.Join(c.Words, " "))
		}
		for _, o := range c.Flags {
			fmt.Fprintf(&b, "%s -o %s", begin, o.Name)
			switch {
			case o.takesFile():
				b.WriteString(" -r -F")
			case o.Operand != "":
				b.WriteString(" -x")
			}
			if o.Words != nil {
				fmt.Fprintf(&b, " -a '%s'", strings.Join(o.Words, " "))
			}
			fmt.Fprintf(&b, " -d %s\n", fishQuote(o.firstSentence()))
		}
	}
	return b.String()
}

// fishQuote quotes a word for fish, where a backslash escapes also between single quotes.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
