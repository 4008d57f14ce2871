package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"signpost/account"
)

func show(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("show", flag.ContinueOnError)
	file := configFlag(flags)
	client := flags.String("client", "", "print the document for one `CLIENT`, a profile as it is before signing: "+clientNames())
	asJSON := flags.Bool("json", false, "print JSON")
	operands, err := parseFlags(e, flags, args, "[-config FILE] [-client CLIENT] [-json] ADDRESS")
	if err != nil {
		return err
	}
	if len(operands) != 1 {
		return &usageError{"show takes one address", "signpost show mail@domain.se"}
	}
	address, err := account.ParseAddress(operands[0])
	if err != nil {
		return &usageError{fmt.Sprintf("%q is %v", operands[0], err), "write it as mail@domain.se"}
	}
	service, err := load(*file, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if *client != "" {
		return service.printDocument(ctx, e, address, *client)
	}
	shown, err := service.show(ctx, address)
	if err != nil {
		return err
	}
	if *asJSON {
		encoder := json.NewEncoder(e.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shown)
	}
	return shown.print(e.stdout)
}

// shown is what show tells of an address, and its JSON form.
type shown struct {
	Address  string        `json:"address"`
	Provider string        `json:"provider"`
	Name     string        `json:"displayName"`
	Account  shownAccount  `json:"account"`
	Clients  []shownClient `json:"clients"`
}

// shownAccount is what the account sources know. It never leaves the operator's
// own command line.
type shownAccount struct {
	Listed      bool   `json:"listed"`
	Inactive    bool   `json:"inactive,omitempty"`
	AliasOf     string `json:"aliasOf,omitempty"`
	Username    string `json:"username,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	MX          string `json:"mx,omitempty"`
}

// shownClient is what one kind of client is told.
type shownClient struct {
	Client  account.Client `json:"client"`
	Title   string         `json:"-"`
	Servers []shownServer  `json:"servers,omitempty"`
	// Error is Microsoft's code where the client is told one, and Nothing says
	// why the client is told no settings.
	Error   string `json:"error,omitempty"`
	Nothing string `json:"nothing,omitempty"`
	// Redirect is where the client is sent instead.
	Redirect string `json:"redirect,omitempty"`
	// Manual is what a person types who is told nothing.
	Manual []shownServer `json:"manual,omitempty"`
	Note   string        `json:"note,omitempty"`
}

type shownServer struct {
	Type       string `json:"type"`
	Hostname   string `json:"hostname,omitempty"`
	Port       int    `json:"port,omitempty"`
	SocketType string `json:"socketType,omitempty"`
	URL        string `json:"url,omitempty"`
	Username   string `json:"username"`
	DomainName string `json:"domainName,omitempty"`
	// Authentication is set where it is not just the password.
	Authentication string `json:"authentication,omitempty"`
}

// show gathers what each client is told, by writing its document and reading
// it as that client would.
func (s *service) show(ctx context.Context, a account.Address) (*shown, error) {
	var all *shown
	for _, d := range dialects {
		settings, err := s.resolve(ctx, a, d)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = &shown{
				Address:  a.String(),
				Provider: settings.Provider.ID,
				Name:     settings.Provider.DisplayName,
				Account:  standing(settings.Account),
			}
		}
		all.Clients = append(all.Clients, d.show(a, settings, s.config.Name))
	}
	return all, nil
}

// resolve asks as the client would. It adds to the directory's errors what an
// operator can do about them.
func (s *service) resolve(ctx context.Context, a account.Address, d dialect) (account.Settings, error) {
	if d.byDomain {
		a = account.AnyAt(a.Domain())
	}
	settings, err := s.directory.Resolve(ctx, account.Query{Address: a, Client: d.asks()})
	if errors.Is(err, account.ErrUnknownDomain) {
		return settings, s.notHosted(a.Domain())
	}
	return settings, err
}

func (s *service) notHosted(domain string) error {
	return &hintError{
		fmt.Errorf("%s is not hosted here: no provider of %s has it among its domains, and its MX record leads to none", domain, s.file),
		"every client is told that the address is unknown; add the domain to a provider",
	}
}

func standing(s account.AccountInfo) shownAccount {
	return shownAccount{
		Listed:      s.Listed,
		Inactive:    s.Inactive,
		AliasOf:     s.AliasOf.String(),
		Username:    s.Username,
		DisplayName: s.DisplayName,
		MX:          s.ByMX,
	}
}

func (s *shown) print(w io.Writer) error {
	fmt.Fprintf(w, "%s\n", s.Address)
	fmt.Fprintf(w, "  provider  %s (%s)%s\n", s.Name, s.Provider, s.why())
	fmt.Fprintf(w, "  account   %s\n", s.Account.words())
	for _, client := range s.Clients {
		fmt.Fprintf(w, "\n%s\n", client.Title)
		switch {
		case client.Redirect != "":
			fmt.Fprintf(w, "  is sent on to %s\n", client.Redirect)
		case client.Error != "":
			fmt.Fprintf(w, "  is told error %s\n", client.Error)
			printWhy(w, client.Nothing)
		case client.Nothing != "":
			fmt.Fprintln(w, "  is told nothing")
			printWhy(w, client.Nothing)
		}
		if err := printServers(w, client.Servers); err != nil {
			return err
		}
		for _, form := range client.Manual {
			fmt.Fprintln(w, "  so its form asks the person, who types")
			form.print(w)
		}
		if client.Note != "" {
			fmt.Fprintf(w, "  %s\n", client.Note)
		}
	}
	return nil
}

// printWhy prints a reason, broken into lines that fit a terminal.
func printWhy(w io.Writer, why string) {
	const width = 96
	line := "  because"
	for word := range strings.FieldsSeq(why) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(w, line)
			line = "         "
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}

func (s *shown) why() string {
	if s.Account.MX != "" {
		return ", because the best MX is " + s.Account.MX
	}
	return ""
}

func (a shownAccount) words() string {
	if !a.Listed {
		return "not listed: gets what its domain gets, like any mailbox there"
	}
	words := []string{"listed"}
	if a.DisplayName != "" {
		words = append(words, "belongs to "+a.DisplayName)
	}
	if a.AliasOf != "" {
		words = append(words, "an alias of "+a.AliasOf+", and few providers let anybody sign in as an alias")
	}
	if a.Username != "" {
		words = append(words, "signs in as "+a.Username)
	}
	if a.Inactive {
		words = append(words, "inactive: clients are told the same, but no mail is served")
	}
	return strings.Join(words, "; ")
}

func printServers(w io.Writer, servers []shownServer) error {
	if len(servers) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range servers {
		if s.URL == "" {
			s.printRow(table, fmt.Sprintf("%s\t%d %s", s.Hostname, s.Port, s.SocketType), "\t")
		}
	}
	for _, s := range servers {
		if s.URL != "" {
			// As wide as it is: it would push the columns of the others.
			s.printRow(table, s.URL, "  ")
		}
	}
	return table.Flush()
}

func (s shownServer) printRow(w io.Writer, where, gap string) {
	fmt.Fprintf(w, "  %s\t%s%suser name %s", s.Type, where, gap, s.Username)
	if s.DomainName != "" {
		fmt.Fprintf(w, "%sdomain %s", gap, s.DomainName)
	}
	if s.Authentication != "" {
		fmt.Fprintf(w, "%s%s", gap, s.Authentication)
	}
	fmt.Fprintln(w)
}

// print prints the fields of a phone's manual Exchange form, apart.
func (s shownServer) print(w io.Writer) {
	fmt.Fprintf(w, "    server     %s\n", s.Hostname)
	fmt.Fprintf(w, "    domain     %s\n", s.DomainName)
	fmt.Fprintf(w, "    user name  %s\n", s.Username)
}
