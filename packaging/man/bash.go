package main

import (
	"fmt"
	"slices"
	"strings"
)

// bash returns the completion for bash. Files are left to bash itself, which goes on after a folder
// and quotes names with blanks.
func bash(p commandPage) string {
	const files = "compopt -o default; return"
	var names []string
	var cases strings.Builder
	for _, c := range p.withHelp() {
		names = append(names, c.Name)
		words := slices.Clone(c.Words)
		for _, o := range c.Flags {
			words = append(words, "-"+o.Name)
			switch {
			case o.Operand == "":
			case o.takesFile():
				fmt.Fprintf(&cases, "    %s:-%s) %s ;;\n", c.Name, o.Name, files)
			default: // its words, or nothing
				fmt.Fprintf(&cases, "    %s:-%s) words=%q ;;\n", c.Name, o.Name, strings.Join(o.Words, " "))
			}
		}
		fmt.Fprintf(&cases, "    %s:*) words=%q", c.Name, strings.Join(words, " "))
		if c.takesFiles() {
			fmt.Fprintf(&cases, "; [[ $cur == -* ]] || { %s; }", files)
		}
		cases.WriteString(" ;;\n")
	}
	return `# Completion of signpost(1) for bash.
_signpost() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
  # bash makes three words of -flag=value.
  if [ "$cur" = = ]; then
    cur=
  elif [ "$before" = = ]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    before= words="` + strings.Join(names, " ") + `"
  fi
  case ${COMP_WORDS[1]}:$before in
    *:) ;;
` + cases.String() + `  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _signpost signpost
`
}
