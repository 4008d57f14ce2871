package show

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// WriteText writes the report for people to read.
func (r *Report) WriteText(w io.Writer) error {
	why := ""
	if r.Account.MX != "" {
		why = ", because the best MX is " + r.Account.MX
	}
	fmt.Fprintf(w, "%s\n", r.Address)
	fmt.Fprintf(w, "  provider  %s (%s)%s\n", r.Name, r.Provider, why)
	fmt.Fprintf(w, "  account   %s\n", r.Account.text())
	for _, client := range r.Clients {
		fmt.Fprintf(w, "\n%s\n", client.Title)
		if err := client.writeText(w); err != nil {
			return err
		}
	}
	return nil
}

func (a Account) text() string {
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
	if a.Username != "" {
		parts = append(parts, "signs in as "+a.Username)
	}
	if a.Inactive {
		parts = append(parts, "inactive: clients are told the same, but no mail is served")
	}
	return strings.Join(parts, "; ")
}

func (c Client) writeText(w io.Writer) error {
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
	if err := writeServers(w, c.Servers); err != nil {
		return err
	}
	for _, form := range c.Manual {
		fmt.Fprintln(w, "  so its form asks the person, who types")
		fmt.Fprintf(w, "    server     %s\n", form.Hostname)
		fmt.Fprintf(w, "    domain     %s\n", form.DomainName)
		fmt.Fprintf(w, "    user name  %s\n", form.Username)
	}
	if c.Note != "" {
		fmt.Fprintf(w, "  %s\n", c.Note)
	}
	return nil
}

// writeReason writes a reason, broken into lines that fit a terminal.
func writeReason(w io.Writer, reason string) {
	const width = 96
	line := "  because"
	for word := range strings.FieldsSeq(reason) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(w, line)
			line = "         "
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}

// writeServers writes a table of servers. Those with a URL come last and are not
// aligned, because a long URL would push the columns of the others apart.
func writeServers(w io.Writer, servers []Server) error {
	if len(servers) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range servers {
		if s.URL == "" {
			s.writeRow(table, fmt.Sprintf("%s\t%d %s", s.Hostname, s.Port, s.SocketType), "\t")
		}
	}
	for _, s := range servers {
		if s.URL != "" {
			s.writeRow(table, s.URL, "  ")
		}
	}
	return table.Flush()
}

func (s Server) writeRow(w io.Writer, where, gap string) {
	fmt.Fprintf(w, "  %s\t%s%suser name %s", s.Type, where, gap, s.Username)
	if s.DomainName != "" {
		fmt.Fprintf(w, "%sdomain %s", gap, s.DomainName)
	}
	if s.Authentication != "" {
		fmt.Fprintf(w, "%s%s", gap, s.Authentication)
	}
	fmt.Fprintln(w)
}
