package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"signpost/account"
	"signpost/internal/certfile"
	"signpost/internal/config"
	"signpost/internal/fault"
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
	if faults := checkTLS(l.File, l.Config.TLS); len(faults) > 0 {
		return faults
	}
	logins := loginsOf(l.Config)
	if *asJSON {
		return writeJSON(e.stdout, logins)
	}
	return printLogins(e.stdout, l.File, logins)
}

// checkTLS finds what the service would not start with: files of certificates and
// roots that cannot be used, a folder that cannot be one. It makes nothing, for
// who checks is mostly not the user who serves.
func checkTLS(file string, t *config.TLS) (faults fault.List) {
	if t == nil {
		return nil
	}
	fault := func(line int, format string, args ...any) {
		faults = append(faults, fault.Fault{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	for i, files := range t.Certificates {
		if _, err := (certfile.Pair{Certificate: files.Certificate, Key: files.Key}).LoadTLS(); err != nil {
			fault(files.Line, "tls.certificates[%d]: %v", i, err)
		}
	}
	if t.ACME == nil {
		return faults
	}
	if root := t.ACME.CARoot; root != "" {
		if _, err := certfile.Roots(root); err != nil {
			fault(0, "tls.acme.caRoot: %v", err)
		}
	}
	for folder := t.ACME.Storage; ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		switch {
		case errors.Is(err, fs.ErrNotExist) && folder != filepath.Dir(folder):
			continue // it will be made
		case err == nil && !info.IsDir(), errors.Is(err, syscall.ENOTDIR):
			fault(0, "tls.acme.storage: %s is not a directory", folder)
		}
		return faults // where it cannot be looked, the service perhaps can
	}
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

// loginsOf returns the logins at each provider's servers. It is not nil, so that its
// JSON is a list even if no provider has servers.
func loginsOf(c *config.Config) []login {
	all := []login{}
	for _, p := range c.Providers {
		sample := c.Sample(p.ID)
		ordinary := providerLogins(p.Provider, sample, "")
		all = append(all, ordinary...)
		for _, client := range account.Clients {
			if _, ok := p.Exceptions[client]; !ok {
				continue
			}
			for i, l := range providerLogins(p.Provider, sample, client) {
				if l.Username != ordinary[i].Username || l.DomainName != ordinary[i].DomainName {
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
