package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"signpost/account"
	"signpost/internal/directory"
)

// Login says what an address signs in with at one server of a provider.
type Login struct {
	Provider   string         `json:"provider"`
	Address    string         `json:"address"`
	Client     account.Client `json:"client,omitempty"` // set if only this client signs in so
	Type       string         `json:"type"`
	Where      string         `json:"where"`
	Username   string         `json:"username"`
	DomainName string         `json:"domainName,omitempty"`
}

// Logins returns what a sample address of each provider signs in with, and what other
// logins single clients use. It never returns nil, so its JSON is a list even if no
// provider has servers.
func Logins(providers []directory.Provider, sampleOf func(providerID string) account.Address) []Login {
	all := []Login{}
	for _, p := range providers {
		sample := sampleOf(p.ID)
		if sample.IsZero() {
			continue // nobody has it
		}
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

func providerLogins(p *account.Provider, sample account.Address, client account.Client) []Login {
	var all []Login
	servers, _ := p.ServersAt(client, sample.Domain())
	for _, server := range servers {
		s := server.Expand(sample)
		where := s.URL
		if where == "" {
			where = fmt.Sprintf("%s:%d %s", s.Hostname, s.Port, s.SocketType)
		}
		all = append(all, Login{
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

// WriteLogins writes a table of logins.
func WriteLogins(w io.Writer, logins []Login) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }
	row("PROVIDER", "ADDRESS", "TYPE", "SERVER", "USER NAME", "DOMAIN", "ONLY FOR")
	for _, l := range logins {
		client := cmp.Or(string(l.Client), "-")
		row(l.Provider, l.Address, l.Type, l.Where, l.Username, cmp.Or(l.DomainName, "-"), client)
	}
	return table.Flush()
}
