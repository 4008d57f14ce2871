package main

import (
	"fmt"
	"regexp"
	"strings"
)

// helper returns the output of the program for the given arguments.
type helper func(args ...string) (string, error)

// commandLine matches the line of the program's help that introduces a command.
var commandLine = regexp.MustCompile(`(?m)^  signpost ([a-z]+)`)

// flagLine matches the line of a command's help that introduces a flag, as package
// flag prints it. The meaning of a flag of one letter stands on the same line.
var flagLine = regexp.MustCompile(`^  -([a-z0-9-]+)(?: ([A-Za-z]+))?(?:\t(.*))?\n$`)

// commandPage is what signpost(1) takes from the help of the program.
type commandPage struct {
	Usage, About string
	Commands     []command
}

// command is the help of a command.
type command struct {
	Name, Usage, About string
	Flags              []option
}

// option is the help of a flag.
type option struct{ Name, Operand, About string }

// readCommands reads the help of the program and of each command.
func readCommands(help helper) (p commandPage, err error) {
	all, err := help("help")
	if err != nil {
		return p, err
	}
	_, rest, _ := strings.Cut(all, "Usage:\n")
	p.Usage, p.About, _ = strings.Cut(rest, "\n\n")
	for _, match := range commandLine.FindAllStringSubmatch(p.Usage, -1) {
		if match[1] == "version" {
			continue // it has no flags, and the synopsis describes it
		}
		text, err := help(match[1], "-h")
		if err != nil {
			return p, err
		}
		p.Commands = append(p.Commands, readCommand(match[1], text))
	}
	if p.About == "" || p.Commands == nil {
		return p, fmt.Errorf("the program's help has no usage with commands followed by a blank line:\n%s", all)
	}
	return p, nil
}

// readCommand reads the help of a command: usage, description and flags.
func readCommand(name, help string) command {
	const label = "Usage: "
	usage, rest, _ := strings.Cut(strings.TrimPrefix(help, label), "\n\n")
	c := command{Name: name, Usage: strings.ReplaceAll(usage, "\n"+strings.Repeat(" ", len(label)), "\n")}
	about := &c.About
	for l := range strings.Lines(rest) {
		match := flagLine.FindStringSubmatch(l)
		if match == nil {
			*about += l
			continue
		}
		c.Flags = append(c.Flags, option{Name: match[1], Operand: match[2]})
		about = &c.Flags[len(c.Flags)-1].About
		if match[3] != "" {
			*about = match[3] + "\n"
		}
	}
	return c
}
