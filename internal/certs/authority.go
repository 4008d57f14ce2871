package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"

	"signpost/internal/caa"
	"signpost/internal/certfile"
	"signpost/internal/regular"
)

const (
	identitiesTimeout = 10 * time.Second
	// identitiesAgain is when a server that gave no answer is asked again.
	identitiesAgain = time.Minute
	maxAccountFile  = 64 << 10
)

// letsEncrypt is the domain that stands for Let's Encrypt in CAA records.
const letsEncrypt = "letsencrypt.org"

// ProxyIdentities are the domains that stand for the authorities of Caddy's defaults in
// CAA records, Let's Encrypt and ZeroSSL. The latter says in its directory by which it
// goes.
var ProxyIdentities = []string{letsEncrypt, "sectigo.com", "trust-provider.com", "usertrust.com", "comodoca.com",
	"comodo.com", "entrust.net", "affirmtrust.com"}

// Authority returns the authority that certificates are ordered from. The function
// configured returns the domains by which CAA records know it, none for those that the
// server's directory names; it may be nil.
func (o *ACME) Authority(configured func() []string) caa.Authority {
	i := &identities{directory: cmp.Or(o.Directory, certmagic.LetsEncryptProductionCA), caRoot: o.CARoot}
	return caa.Authority{
		Identities: func(ctx context.Context) ([]string, error) {
			if configured != nil {
				if names := configured(); len(names) > 0 {
					return names, nil
				}
			}
			return i.get(ctx)
		},
		Accounts: o.accounts,
		Methods:  []string{"http-01", "tls-alpn-01"},
	}
}

// mayIssue returns an error if the CAA records of a name forbid the authority to issue a
// certificate, a *caa.Forbidden, or if that cannot be known now.
func mayIssue(ctx context.Context, p Policy, a caa.Authority, name string) error {
	set, err := p.CAA(ctx, name)
	if err != nil {
		return fmt.Errorf("its CAA records cannot be looked up: %w", err)
	}
	return set.Allow(ctx, a)
}

// identities are the names in the directory of an ACME server.
type identities struct {
	directory, caRoot string

	mu    sync.Mutex
	known []string
	err   error
	until time.Time // when to ask again
}

// get returns the caaIdentities of the server, or no names and no error if it has none.
func (i *identities) get(ctx context.Context) ([]string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if time.Now().Before(i.until) {
		return i.known, i.err
	}
	ctx, cancel := context.WithTimeout(ctx, identitiesTimeout)
	defer cancel()
	known, err := i.ask(ctx)
	if err != nil && ctx.Err() == context.Canceled {
		return nil, err
	}
	i.known, i.err, i.until = known, err, time.Now().Add(identitiesAgain)
	if err == nil {
		i.until = time.Now().Add(12 * time.Hour)
	} else if i.isLetsEncrypt() {
		i.known, i.err = []string{letsEncrypt}, nil
	}
	return i.known, i.err
}

func (i *identities) isLetsEncrypt() bool {
	at, err := url.Parse(i.directory)
	return err == nil && strings.HasSuffix(at.Hostname(), ".api."+letsEncrypt)
}

func (i *identities) ask(ctx context.Context) ([]string, error) {
	var roots *x509.CertPool
	if i.caRoot != "" {
		var err error
		if roots, err = certfile.Roots(i.caRoot); err != nil {
			return nil, err
		}
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true,
	}
	client := &acme.Client{
		Directory: i.directory, UserAgent: certmagic.UserAgent,
		HTTPClient: &http.Client{Transport: transport, Timeout: identitiesTimeout},
	}
	directory, err := client.GetDirectory(ctx)
	if err != nil || directory.Meta == nil {
		return nil, err
	}
	var names []string
	for _, name := range directory.Meta.CAAIdentities {
		names = append(names, strings.ToLower(name))
	}
	return names, nil
}

// accounts returns the URIs of the accounts in storage, nil if there are none or if they
// cannot be read here.
func (o *ACME) accounts() []string {
	files, _ := filepath.Glob(filepath.Join(o.Storage, "acme", "*", "users", "*", "*.json"))
	var uris []string
	for _, file := range files {
		data, err := regular.Read(file, maxAccountFile)
		var stored struct{ Location string }
		if err == nil && json.Unmarshal(data, &stored) == nil && stored.Location != "" {
			uris = append(uris, stored.Location)
		}
	}
	return uris
}
