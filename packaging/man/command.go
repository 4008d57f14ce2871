package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// helper returns the output of the program for the given arguments.
type helper func(args ...string) (string, error)

// commandLine matches the line of the program's help that introduces a command.
var commandLine = regexp.MustCompile(`^  signpost ([a-z]+)`)

// flagLine matches the line of a command's help that introduces a flag, as package
// flag prints it.
var flagLine = regexp.MustCompile(`^  -([a-z-]+)(?: ([A-Za-z]+))?$`)

// commandPage returns signpost(1).
func commandPage(help helper, day time.Time) ([]byte, error) {
	all, err := help("help")
	if err != nil {
		return nil, err
	}
	var p page
	p.begin("signpost", "1", day)
	p.macro("Sh", "NAME")
	p.WriteString(".Nm signpost\n.Nd tells mail clients where a person\\(aqs mailbox is\n")
	p.macro("Sh", "SYNOPSIS")
	usage, about, err := split(all)
	if err != nil {
		return nil, err
	}
	p.literal(usage)
	p.macro("Sh", "DESCRIPTION")
	p.text("Signpost answers mail clients that look for the servers of an address: Outlook, Exchange phones, " +
		"Apple devices, Thunderbird and other readers of autoconfig, and people with a browser. " +
		"Its configuration is one file, which signpost.yaml(5) describes.")
	p.macro("Pp")
	p.text(about)
	p.macro("Sh", "COMMANDS")
	commands := 0
	for l := range strings.Lines(usage) {
		match := commandLine.FindStringSubmatch(l)
		if match == nil || match[1] == "version" {
			continue // it has no flags, and the synopsis describes it
		}
		commands++
		text, err := help(match[1], "-h")
		if err != nil {
			return nil, err
		}
		p.command(match[1], text)
	}
	if commands == 0 {
		return nil, errors.New("the program's help names no commands")
	}
	p.WriteString(commandRest)
	return p.Bytes(), nil
}

// split splits the program's help into the commands and the text after them.
func split(help string) (usage, about string, err error) {
	_, rest, ok := strings.Cut(help, "Usage:\n")
	usage, about, ok2 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 {
		return "", "", fmt.Errorf("the program's help has no usage followed by a blank line:\n%s", help)
	}
	return usage, about, nil
}

// command writes the help of a command: usage, description and flags.
func (p *page) command(name, help string) {
	p.macro("Ss", name)
	usage, rest, _ := strings.Cut(help, "\n\n")
	usage = strings.TrimPrefix(usage, "Usage: ")
	p.literal(strings.ReplaceAll(usage, "\n"+strings.Repeat(" ", len("Usage: ")), "\n"))
	list := false
	about := ""
	for l := range strings.Lines(rest) {
		if match := flagLine.FindStringSubmatch(strings.TrimRight(l, "\n")); match != nil {
			p.text(about)
			about = ""
			if !list {
				p.macro("Bl", "-tag", "-width", "Ds")
				list = true
			}
			item := ".It Fl " + escape(match[1])
			if match[2] != "" {
				item += " Ar " + escape(match[2])
			}
			p.WriteString(item + "\n")
			continue
		}
		about += l
	}
	p.text(about)
	if list {
		p.macro("El")
	}
}

// commandRest holds the sections that the program's help does not cover.
const commandRest = `.Sh SIGNALS
.Bl -tag -width SIGTERM
.It Dv SIGHUP
.Ic serve
reloads the configuration and all files that it names.
If anything is wrong, the previous one stays in use and the log says why.
Changed files are noticed even without the signal.
.It Dv SIGTERM , SIGINT
.Ic serve
accepts no more connections, answers running requests, and exits.
A second
.Dv SIGTERM
or
.Dv SIGINT
ends the program at once.
.El
.Sh ENVIRONMENT
.Ic serve
understands
.Ev LISTEN_FDS ,
.Ev NOTIFY_SOCKET
and
.Ev WATCHDOG_USEC
of
.Xr systemd.service 5
and
.Xr systemd.socket 5 .
Sockets named http, https and admin replace the listeners in the
configuration.
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/signpost/signpost.yaml
The configuration.
.It Pa /var/lib/signpost/certificates
Ordered certificates, unless the configuration names another directory.
.It Pa /usr/share/doc/signpost/examples
Configurations for nginx and Caddy as reverse proxies, and a systemd socket.
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
Success.
.It 1
The command failed or found a problem.
.It 2
Wrong usage.
.El
.Sh EXAMPLES
Check the configuration after a change, and reload it:
.Bd -literal -offset indent
signpost check && systemctl reload signpost
.Ed
.Pp
Find out why Outlook does not find a mailbox:
.Bd -literal -offset indent
signpost show mail@mail.example
.Ed
.Pp
List missing and wrong DNS records of all domains:
.Bd -literal -offset indent
signpost records \-compare \-all
.Ed
.Sh SEE ALSO
.Xr signpost.yaml 5
`
