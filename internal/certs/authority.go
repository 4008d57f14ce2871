package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	// identitiesFor is how long an answer counts before the server is asked again.
	identitiesFor = 12 * time.Hour
	// identitiesAgain is when a server that gave no answer is asked again.
	identitiesAgain = time.Minute
	maxAccountFile  = 64 << 10
	maxDirectory    = 1 << 20
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
	i := newIdentities(o.Directory, o.CARoot)
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

	mu       sync.Mutex
	known    []string
	answered bool          // known is what the server said, or what is known without it
	err      error         // of the last question, if none was answered
	until    time.Time     // when to ask again
	asking   chan struct{} // closed when the question under way has ended; nil without one
}

func newIdentities(directory, caRoot string) *identities {
	i := &identities{directory: cmp.Or(directory, certmagic.LetsEncryptProductionCA), caRoot: caRoot}
	at, err := url.Parse(i.directory)
	if err == nil && strings.HasSuffix(at.Hostname(), ".api."+letsEncrypt) {
		i.known, i.answered = []string{letsEncrypt}, true
	}
	return i
}

// get returns the caaIdentities of the server, or no names and no error if it has none.
// Callers wait, each as long as its context allows, until the server has answered once.
// After that they get what it said last while it is asked again.
func (i *identities) get(ctx context.Context) ([]string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.asking == nil && !time.Now().Before(i.until) {
		i.asking = make(chan struct{})
		go i.refresh(i.asking)
	}
	if asking := i.asking; asking != nil && !i.answered {
		i.mu.Unlock()
		select {
		case <-asking:
		case <-ctx.Done():
		}
		i.mu.Lock()
		if i.asking == asking {
			return nil, ctx.Err()
		}
	}
	return i.known, i.err
}

// refresh asks the server. A server that answered before and does not now keeps the names
// that it said, or every customer whose CAA records name it would be without certificates.
func (i *identities) refresh(asking chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), identitiesTimeout)
	defer cancel()
	names, err := i.ask(ctx)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.until = time.Now().Add(identitiesAgain)
	switch {
	case err == nil:
		i.known, i.answered, i.err, i.until = names, true, nil, time.Now().Add(identitiesFor)
	case !i.answered:
		i.err = err
	}
	i.asking = nil
	close(asking)
}

// ask fetches the directory. The library's own function for that waits for every other
// order that fetches one, whatever the context says.
func (i *identities) ask(ctx context.Context) ([]string, error) {
	config := new(tls.Config)
	if i.caRoot != "" {
		var err error
		if config.RootCAs, err = certfile.Roots(i.caRoot); err != nil {
			return nil, err
		}
	}
	client := &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.directory, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", certmagic.UserAgent)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the ACME directory is answered with status %d", response.StatusCode)
	}
	var directory acme.Directory
	if err := json.NewDecoder(io.LimitReader(response.Body, maxDirectory)).Decode(&directory); err != nil {
		return nil, fmt.Errorf("the ACME directory: %w", err)
	}
	if directory.NewOrder == "" {
		return nil, errors.New("the ACME directory has no newOrder")
	}
	var names []string
	if directory.Meta != nil {
		for _, name := range directory.Meta.CAAIdentities {
			names = append(names, strings.ToLower(name))
		}
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
