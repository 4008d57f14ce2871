package show

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report for people to read. Clients that get the same stand together.
func (r *Report) WriteText(to io.Writer) error {
	w := new(bytes.Buffer)
	why := ""
	if r.Account.MX != "" {
		why = ", because the best MX is " + r.Account.MX
	}
	fmt.Fprintf(w, "%s\n", r.Address)
	fmt.Fprintf(w, "  provider  %s (%s)%s\n", r.Name, r.Provider, why)
	if r.Account.DomainOf != "" {
		fmt.Fprintf(w, "  domain    another name of %s, where the mailbox is\n", r.Account.DomainOf)
	}
	if r.Account.DomainSource != "" {
		fmt.Fprintf(w, "  domain    listed in account source %s\n", r.Account.DomainSource)
	}
	fmt.Fprintf(w, "  account   %s\n", r.Account.text())
	if r.Account.Source != "" {
		fmt.Fprintf(w, "  source    %s: %s\n", r.Account.Source, r.Account.Path)
	}
	var texts []string
	titles := map[string]string{} // of the clients with the text
	for _, client := range r.Clients {
		text := client.text()
		if titles[text] == "" {
			texts = append(texts, text)
		}
		titles[text] += client.Title + "\n"
	}
	for _, text := range texts {
		fmt.Fprint(w, "\n", titles[text], text)
	}
	_, err := w.WriteTo(to)
	return err
}

func (a Account) text() string {
	if a.NotKnown != "" {
		return "cannot be known now: " + a.NotKnown
	}
	if !a.Listed {
		return "not listed: gets what its domain gets, like any mailbox there"
	}
	parts := []string{"listed"}
	if a.DisplayName != "" {
		parts = append(parts, "belongs to "+a.DisplayName)
	}
	if a.AliasOf != "" {
		parts = append(parts, "an alias of "+a.AliasOf+", and few providers let anybody sign in as an alias")
	}
	if a.AliasUnresolved {
		parts = append(parts, "no provider names the domain of that mailbox: clients are told what any address "+
			"of the alias's own domain is told; list that mailbox with its provider under accounts")
	}
	if a.Username != "" {
		parts = append(parts, "signs in as "+a.Username)
	}
	if a.Inactive {
		parts = append(parts, "inactive: clients are told the same, but no mail is served")
	}
	return strings.Join(parts, "; ")
}

// text returns what is said of the client.
func (c Client) text() string {
	w := new(strings.Builder)
	switch {
	case c.Redirect != "":
		fmt.Fprintf(w, "  is sent on to %s\n", c.Redirect)
	case c.Error != "":
		fmt.Fprintf(w, "  is told error %s\n", c.Error)
		writeReason(w, c.Nothing)
	case c.Nothing != "":
		fmt.Fprintln(w, "  is told nothing")
		writeReason(w, c.Nothing)
	}
	writeServers(w, "  ", c.Servers)
	if len(c.Manual) > 0 {
		fmt.Fprintln(w, "  so its form asks the person, who types")
		c.writeManual(w)
	}
	if c.Wrong != "" {
		fmt.Fprintf(w, "  WRONG: %s\n", c.Wrong)
	}
	if c.Note != "" {
		fmt.Fprintf(w, "  %s\n", c.Note)
	}
	if c.Link != "" {
		never := ""
		if c.Nothing == "" {
			never = "never asks: "
		}
		fmt.Fprintf(w, "  %sits person opens %s\n", never, c.Link)
	}
	if c.Say != "" {
		writeWrapped(w, "  say:", c.Say)
	}
	return w.String()
}

// writeManual writes what a person types.
func (c Client) writeManual(w io.Writer) {
	for _, form := range c.Manual {
		if form.Port != 0 {
			writeServers(w, "    ", c.Manual)
			return
		}
		fmt.Fprintf(w, "    server     %s\n", form.Hostname)
		if form.DomainName != "" {
			fmt.Fprintf(w, "    domain     %s\n", form.DomainName)
		}
		fmt.Fprintf(w, "    user name  %s\n", form.Username)
	}
}

func writeReason(w io.Writer, reason string) { writeWrapped(w, "  because", reason) }

// writeWrapped writes a word with a text, broken into lines that fit a terminal.
func writeWrapped(w io.Writer, word, text string) {
	const width = 96
	line := word
	for next := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(next) > width {
			fmt.Fprintln(w, line)
			line = strings.Repeat(" ", len(word))
		}
		line += " " + next
	}
	fmt.Fprintln(w, line)
}

// writeServers writes a table of servers in the order of preference. Those with a URL
// are not aligned, because a long URL would push the columns of the others apart.
func writeServers(w io.Writer, indent string, servers []Server) {
	widths := map[int]int{}
	for _, s := range servers {
		for i, cell := range s.cells() {
			if i == 0 || s.URL == "" {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, s := range servers {
		line := indent[2:]
		for i, cell := range s.cells() {
			width := widths[i]
			if i > 0 && s.URL != "" {
				width = 0
			}
			line += fmt.Sprintf("  %-*s", width, cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// cells returns what the table says of the server.
func (s Server) cells() []string {
	cells := []string{s.Type}
	if s.URL != "" {
		cells = append(cells, s.URL)
	} else {
		cells = append(cells, s.Hostname, fmt.Sprintf("%d %s", s.Port, s.SocketType))
	}
	if s.Username != "" {
		cells = append(cells, "user name "+s.Username)
	}
	if s.DomainName != "" {
		cells = append(cells, "domain "+s.DomainName)
	}
	if s.Authentication != "" {
		cells = append(cells, s.Authentication)
	}
	return cells
}
