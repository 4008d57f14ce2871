package main

import (
	"fmt"
	"strings"
)

// completions returns the completions of the commands and their flags by the names of their
// files: for bash, zsh and fish.
func completions(p commandPage) map[string]string {
	return map[string]string{"signpost.bash": bash(p), "_signpost": zsh(p), "signpost.fish": fish(p)}
}

// takesFile reports whether the flag's operand is a file.
func (o option) takesFile() bool { return o.Operand == "FILE" }

// firstSentence returns the first line's worth of a flag's meaning.
func (o option) firstSentence() string {
	about := strings.Join(strings.Fields(o.About), " ")
	for _, end := range []string{". ", "; ", ", "} {
		about, _, _ = strings.Cut(about, end)
	}
	return about
}

func bash(p commandPage) string {
	var names []string
	var cases, files strings.Builder
	for _, c := range p.Commands {
		names = append(names, c.Name)
		var flags []string
		for _, o := range c.Flags {
			flags = append(flags, "-"+o.Name)
			if o.takesFile() {
				fmt.Fprintf(&files, "    %s:-%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", c.Name, o.Name)
			}
		}
		fmt.Fprintf(&cases, "    %s) flags=%q ;;\n", c.Name, strings.Join(flags, " "))
	}
	return `# Completion of signpost(1) for bash.
_signpost() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} flags=
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "help ` + strings.Join(names, " ") + `" -- "$cur"))
    return
  fi
  case $command:$before in
` + files.String() + `  esac
  case $command in
` + cases.String() + `  esac
  COMPREPLY=($(compgen -W "$flags" -- "$cur"))
}
complete -o default -F _signpost signpost
`
}

func zsh(p commandPage) string {
	var names, cases strings.Builder
	for _, c := range p.Commands {
		fmt.Fprintf(&names, "    %s\n", quote(c.Name+":"+c.Short))
		fmt.Fprintf(&cases, "  %s)\n    _arguments -S", c.Name)
		for _, o := range c.Flags {
			spec := "-" + o.Name + "[" + strings.NewReplacer("[", "(", "]", ")").Replace(o.firstSentence()) + "]"
			if o.Operand != "" {
				spec += ":" + o.Operand + ":"
			}
			if o.takesFile() {
				spec += "_files"
			}
			fmt.Fprintf(&cases, " \\\n      %s", quote(spec))
		}
		fmt.Fprintf(&cases, " \\\n      '*:operand:_files' ;;\n")
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

func fish(p commandPage) string {
	var b strings.Builder
	b.WriteString("# Completion of signpost(1) for fish.\n")
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "complete -c signpost -n __fish_use_subcommand -f -a %s -d %s\n", c.Name, fishQuote(c.Short))
	}
	for _, c := range p.Commands {
		for _, o := range c.Flags {
			fmt.Fprintf(&b, "complete -c signpost -n '__fish_seen_subcommand_from %s' -o %s", c.Name, o.Name)
			switch {
			case o.takesFile():
				b.WriteString(" -r -F")
			case o.Operand != "":
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", fishQuote(o.firstSentence()))
		}
	}
	return b.String()
}

// quote quotes a word for bash and zsh.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// fishQuote quotes a word for fish, where a backslash escapes also between single quotes.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
