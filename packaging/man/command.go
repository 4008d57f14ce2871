package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// helper returns the output of the program for the given arguments.
type helper func(args ...string) (string, error)

// commandLine matches the line of the program's help that introduces a command.
var commandLine = regexp.MustCompile(`(?m)^  signpost ([a-z]+)(?:.*?(?:  +|\n {40,})([a-z].*))?$`)

// flagLine matches the line of a command's help that introduces a flag, as package
// flag prints it. The meaning of a flag of one letter stands on the same line.
var flagLine = regexp.MustCompile(`^  -([a-z0-9-]+)(?: ([A-Za-z]+))?(?:\t(.*))?\n$`)

// commandPage is what signpost(1) takes from the help of the program.
type commandPage struct {
	Usage, About string
	Commands     []command
}

// Names returns the names of the commands, sorted.
func (p commandPage) Names() []string {
	var names []string
	for _, c := range p.Commands {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

// command is the help of a command.
type command struct {
	Name, Short, Usage, About string
	Flags                     []option
	Words                     []string // the operands, if it takes only some
}

// option is the help of a flag.
type option struct {
	Name, Operand, About string
	Words                []string // what the operand can be, if the usage says it
}

// readCommands reads the help of the program and of each command.
func readCommands(help helper) (p commandPage, err error) {
	all, err := help("help")
	if err != nil {
		return p, err
	}
	_, rest, _ := strings.Cut(all, "Usage:\n")
	p.Usage, p.About, _ = strings.Cut(rest, "\n\n")
	for _, match := range commandLine.FindAllStringSubmatch(p.Usage, -1) {
		c := command{Name: match[1], Short: match[2]}
		text, err := help(c.Name, "-h")
		if err != nil {
			return p, err
		}
		c.read(text)
		if c.Name == "presets" {
			if c.Words, err = presetNames(help); err != nil {
				return p, err
			}
		}
		if c.Short == "" {
			return p, fmt.Errorf("the program's help does not say what %q does:\n%s", c.Name, all)
		}
		p.Commands = append(p.Commands, c)
	}
	if p.About == "" || p.Commands == nil {
		return p, fmt.Errorf("the program's help has no usage with commands followed by a blank line:\n%s", all)
	}
	return p, nil
}

// read reads the help of the command: usage, description and flags.
func (c *command) read(help string) {
	const label = "Usage: "
	usage, rest, _ := strings.Cut(strings.TrimPrefix(help, label), "\n\n")
	c.Usage = strings.ReplaceAll(usage, "\n"+strings.Repeat(" ", len(label)), "\n")
	about := &c.About
	for l := range strings.Lines(rest) {
		match := flagLine.FindStringSubmatch(l)
		if match == nil {
			*about += l
			continue
		}
		c.Flags = append(c.Flags, option{Name: match[1], Operand: match[2], Words: choices(c.Usage, match[1])})
		about = &c.Flags[len(c.Flags)-1].About
		if match[3] != "" {
			*about = match[3] + "\n"
		}
	}
}

// choices returns what a flag's operand can be, from usage such as "[-fail-on error|warning]".
func choices(usage, flag string) []string {
	for _, match := range regexp.MustCompile(`-`+flag+` ([a-z|]+)`).FindAllStringSubmatch(usage, -1) {
		if strings.Contains(match[1], "|") {
			return strings.Split(match[1], "|")
		}
	}
	return nil
}

// presetNames returns the first column of what "signpost presets" prints below its head.
func presetNames(help helper) (names []string, err error) {
	list, err := help("presets")
	if err != nil {
		return nil, err
	}
	_, rows, _ := strings.Cut(list, "\n")
	for row := range strings.Lines(rows) {
		name, _, _ := strings.Cut(row, " ")
		names = append(names, name)
	}
	return names, nil
}
