package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"signpost/account"
	"signpost/internal/config"
	"signpost/internal/fault"
)

const checkUsage = `[-config FILE] [-json]

Checks the configuration and the files that it names, and prints what a sample address
of each provider signs in with. The exit status is 1 if anything is wrong.`

func check(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := configFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	operands, err := parseFlags(e, flags, args, checkUsage)
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return usagef("-config FILE names the configuration", "check takes no operand %q", operands[0])
	}
	l, err := load("-config", *file)
	if err != nil {
		return err
	}
	for _, warning := range l.Warnings() {
		fmt.Fprintf(e.stderr, "signpost: warning: %s\n", warning)
	}
	if err := l.Signer.Check(); err != nil {
		effect := "profiles will not be signed"
		if l.Signer.CanSign() {
			effect = "profiles are signed, but devices may not trust the signature"
		}
		fmt.Fprintf(e.stderr, "signpost: warning: %s: %v\n", effect, err)
	}
	_, err = l.Config.Updates()
	faults, _ := errors.AsType[fault.List](err)
	for _, f := range faults {
		if !slices.Contains(l.Config.Warnings, f) {
			fmt.Fprintf(e.stderr, "signpost: warning: %s\n", f)
		}
	}
	if faults := l.CheckTLS(); len(faults) > 0 {
		return faults
	}
	logins := loginsOf(l.Config)
	if *asJSON {
		return writeJSON(e.stdout, logins)
	}
	return printLogins(e.stdout, l.File, logins)
}

// login is a row of the table: what a sample address signs in with at one server.
type login struct {
	Provider   string         `json:"provider"`
	Address    string         `json:"address"`
	Client     account.Client `json:"client,omitempty"` // set if only this client signs in so
	Type       string         `json:"type"`
	Where      string         `json:"where"`
	Username   string         `json:"username"`
	DomainName string         `json:"domainName,omitempty"`
}

// loginsOf returns the logins at each provider's servers. It never returns nil, so
// the JSON is a list even if no provider has servers.
func loginsOf(c *config.Config) []login {
	all := []login{}
	for _, p := range c.Providers {
		sample := c.Sample(p.ID)
		usual := providerLogins(p.Provider, sample, "")
		all = append(all, usual...)
		for _, client := range account.Clients {
			if _, ok := p.Exceptions[client]; !ok {
				continue
			}
			for i, l := range providerLogins(p.Provider, sample, client) {
				if l.Username != usual[i].Username || l.DomainName != usual[i].DomainName {
					all = append(all, l)
				}
			}
		}
	}
	return all
}

func providerLogins(p *account.Provider, sample account.Address, client account.Client) []login {
	var all []login
	for _, server := range p.ServersFor(client) {
		s := server.Expand(sample)
		where := s.URL
		if where == "" {
			where = fmt.Sprintf("%s:%d %s", s.Hostname, s.Port, s.SocketType)
		}
		all = append(all, login{
			Provider:   p.ID,
			Address:    sample.String(),
			Client:     client,
			Type:       string(s.Type),
			Where:      where,
			Username:   s.Login.Username,
			DomainName: s.Login.DomainName,
		})
	}
	return all
}

func printLogins(w io.Writer, file string, logins []login) error {
	fmt.Fprintf(w, "%s is good. This is what an address signs in with:\n\n", file)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }
	row("PROVIDER", "ADDRESS", "TYPE", "SERVER", "USER NAME", "DOMAIN", "ONLY FOR")
	for _, l := range logins {
		client := cmp.Or(string(l.Client), "-")
		row(l.Provider, l.Address, l.Type, l.Where, l.Username, cmp.Or(l.DomainName, "-"), client)
	}
	return table.Flush()
}
