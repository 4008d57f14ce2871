package main

import (
	"fmt"
	"strings"
)

// zsh returns the completion for zsh.
func zsh(p commandPage) string {
	var names, cases strings.Builder
	for _, c := range p.withHelp() {
		fmt.Fprintf(&names, "    %s\n", quote(c.Name+":"+c.Short))
		fmt.Fprintf(&cases, "  %s)\n    _arguments -S", c.Name)
		for _, o := range c.Flags {
			about := "[" + strings.NewReplacer("[", "(", "]", ")").Replace(o.firstSentence()) + "]"
			spec := "-" + o.Name
			if o.Operand != "" {
				spec += "=" + about + ":" + o.Operand + ":" + zshAction(o.takesFile(), o.Words)
			} else {
				spec += about
			}
			fmt.Fprintf(&cases, " \\\n      %s", quote(spec))
		}
		fmt.Fprintf(&cases, " \\\n      %s ;;\n", quote("*:operand:"+zshAction(c.takesFiles(), c.Words)))
	}
	return `#compdef signpost
# Completion of signpost(1) for zsh.
local -a commands
if (( CURRENT == 2 )); then
  commands=(
` + names.String() + `  )
  _describe command commands
  return
fi
local command=$words[2]
shift words
(( CURRENT-- ))
case $command in
` + cases.String() + `esac
`
}

// zshAction returns what _arguments completes: files, or words, of which there may be none.
func zshAction(files bool, words []string) string {
	if files {
		return "_files"
	}
	return "(" + strings.Join(words, " ") + ")"
}

// quote quotes a word for zsh.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
