package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// helper is the output of the program for arguments.
type helper func(args ...string) (string, error)

// commandLine is a line of the program's own help that begins a command.
var commandLine = regexp.MustCompile(`^  signpost ([a-z]+)`)

// flagLine is a line of a command's help that begins a flag, as package flag prints it.
var flagLine = regexp.MustCompile(`^  -([a-z-]+)(?: ([A-Za-z]+))?$`)

// commandPage is signpost(1).
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
	p.text("Signpost answers mail clients that look for the servers of an address: Outlook, Exchange phones, Apple devices, Thunderbird and other readers of autoconfig, and people with a browser. All it knows is in one file, which signpost.yaml(5) explains.")
	p.macro("Pp")
	p.text(about)
	p.macro("Sh", "COMMANDS")
	commands := 0
	for l := range strings.Lines(usage) {
		match := commandLine.FindStringSubmatch(l)
		if match == nil || match[1] == "version" {
			continue // takes no flag, and the synopsis says what it does
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

// split takes the program's help apart: the commands, and what is said after
// them.
func split(help string) (usage, about string, err error) {
	_, rest, ok := strings.Cut(help, "Usage:\n")
	usage, about, ok2 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 {
		return "", "", fmt.Errorf("the program's help is not as it was:\n%s", help)
	}
	return usage, about, nil
}

// command writes a command's help: usage, what it does, and flags.
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

// commandRest is what no help says.
const commandRest = `.Sh SIGNALS
.Bl -tag -width SIGTERM
.It Dv SIGHUP
.Ic serve
loads the configuration again, with all that it names.
If anything is wrong, the old one stays in use and the log says why.
Changed files are noticed without it.
.It Dv SIGTERM , SIGINT
.Ic serve
takes no more connections, answers what has been asked, and ends.
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
Sockets named http, https and admin take the place of the listeners in the
configuration.
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/signpost/signpost.yaml
The configuration.
.It Pa /var/lib/signpost/certificates
Certificates that were ordered, unless the configuration names another folder.
.It Pa /usr/share/doc/signpost/examples
Configurations of nginx and Caddy in front, and a socket of systemd.
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
All is well.
.It 1
It failed, or found a problem.
.It 2
The command line is wrong.
.El
.Sh EXAMPLES
Check the configuration after a change, and take it into use:
.Bd -literal -offset indent
signpost check && systemctl reload signpost
.Ed
.Pp
Why does somebody\(aqs Outlook not find the mailbox?
.Bd -literal -offset indent
signpost show mail@mail.example
.Ed
.Pp
Which DNS records are missing?
.Bd -literal -offset indent
signpost records \-compare \-all
.Ed
.Sh SEE ALSO
.Xr signpost.yaml 5
`
