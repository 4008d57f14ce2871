package setup

import (
	"context"
	"io"
	"log/slog"

	"signpost/account"
)

// literal returns a resolver with a single provider, for cases that no example covers.
func literal(servers ...account.Server) (account.Resolver, *account.Provider) {
	p := &account.Provider{ID: "example", DisplayName: "Example Mail", Servers: servers}
	return func(_ context.Context, q account.Query) (account.Settings, error) {
		return account.Settings{Address: q.Address, Login: q.Address, Provider: p, Servers: p.ServersFor(q.Client)}, nil
	}, p
}

// server returns an ordinary server of the type.
func server(t account.ServerType) account.Server {
	s := account.Server{Type: t, Login: account.Login{Username: account.EmailAddress},
		Authentication: []account.Authentication{account.PasswordCleartext}}
	if t.HasURL() {
		s.URL = "https://" + string(t) + ".example.com/path"
		return s
	}
	s.Hostname, s.SocketType = string(t)+".example.com", account.SSL
	if t == account.ManageSieve {
		s.SocketType = account.STARTTLS
	}
	s.Port = account.DefaultPort(t, s.SocketType)
	return s
}

// withToken returns the server with OAuth2 alone, at a host that mail programs know.
func withToken(s account.Server) account.Server {
	if !s.Type.HasURL() {
		s.Hostname = string(s.Type) + ".fastmail.com"
	}
	s.Authentication = []account.Authentication{account.OAuth2Auth}
	return s
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
