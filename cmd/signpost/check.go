package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"

	"signpost/account"
)

func check(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := configFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	operands, err := parseFlags(e, flags, args, "[-config FILE] [-json]")
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return &usageError{fmt.Sprintf("check takes no operand %q", operands[0]), "-config FILE names the configuration"}
	}
	service, err := load(*file, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	service.printWarnings(e.stderr)
	if err := service.signer.Check(); err != nil {
		effect := "profiles will not be signed"
		if service.signer.Signs() {
			effect = "profiles are signed, but devices may not trust it"
		}
		fmt.Fprintf(e.stderr, "signpost: warning: %s: %v\n", effect, err)
	}
	logins := service.logins()
	if *asJSON {
		encoder := json.NewEncoder(e.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(logins)
	}
	return printLogins(e.stdout, service.file, logins)
}

// login is a line of the table that an operator trusts: what a sample address
// signs in with at one server.
type login struct {
	Provider   string         `json:"provider"`
	Address    string         `json:"address"`
	Client     account.Client `json:"client,omitempty"` // set for an exception
	Type       string         `json:"type"`
	Where      string         `json:"where"`
	Username   string         `json:"username"`
	DomainName string         `json:"domainName,omitempty"`
}

func (s *service) logins() []login {
	var all []login
	for _, p := range s.config.Providers {
		sample := s.config.Sample(p.ID)
		ordinary := loginsOf(p.Provider, sample, "")
		all = append(all, ordinary...)
		for _, client := range account.Clients {
			if _, ok := p.Exceptions[client]; !ok {
				continue
			}
			for i, l := range loginsOf(p.Provider, sample, client) {
				if l.Username != ordinary[i].Username || l.DomainName != ordinary[i].DomainName {
					all = append(all, l)
				}
			}
		}
	}
	return all
}

func loginsOf(p *account.Provider, sample account.Address, client account.Client) []login {
	var all []login
	for _, server := range p.ServersFor(client) {
		s := server.Expand(sample)
		where := s.URL
		if where == "" {
			where = fmt.Sprintf("%s:%d %s", s.Hostname, s.Port, s.SocketType)
		}
		all = append(all, login{p.ID, sample.String(), client, string(s.Type), where, s.Login.Username, s.Login.DomainName})
	}
	return all
}

func printLogins(w io.Writer, file string, logins []login) error {
	fmt.Fprintf(w, "%s is good. This is what an address signs in with:\n\n", file)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join([]string{"PROVIDER", "ADDRESS", "TYPE", "SERVER", "USER NAME", "DOMAIN", "ONLY FOR"}, "\t"))
	for _, l := range logins {
		fmt.Fprintln(table, strings.Join([]string{l.Provider, l.Address, l.Type, l.Where, l.Username, dash(l.DomainName), dash(string(l.Client))}, "\t"))
	}
	return table.Flush()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
