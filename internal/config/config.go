package config

import (
	"fmt"
	"io"
	"slices"
	"time"

	"signpost/account"
	"signpost/internal/certfile"
	"signpost/internal/conn"
	"signpost/internal/directory"
	"signpost/internal/fault"
	"signpost/internal/regular"
	"signpost/internal/setup"
	"signpost/internal/sources"
)

// maxFile is the largest configuration in bytes. It has room for 150,000 accounts.
// Domains can have files of their own, which need a hundredth of the memory.
const maxFile = 8 << 20

// Config is a configuration without faults.
type Config struct {
	Listen  string       // where plain HTTP is served: host:port or unix:path
	Admin   Admin        // the listener for the operator's own tools
	Proxies conn.Proxies // reverse proxies in front of the service
	Limits  Limits
	Log     Log
	Name    string // the service's own host name, or empty
	// HSTS is for how long browsers shall ask Name by https only; nil for no header.
	HSTS *time.Duration

	// ApexCertificates allows certificates for the hosted domains themselves, whether
	// they are ordered here or by a proxy that asks.
	ApexCertificates bool
	TLS              *TLS          // nil if a proxy in front serves HTTPS
	Profiles         certfile.Pair // signs configuration profiles; zero for none
	Branding         setup.Branding
	DNS              DNS

	Providers []directory.Provider // in the order of the file
	Accounts  []AccountSource      // in the order of the file

	Files       []string // all files that were read
	DomainFiles []DomainFile
	StoreFiles  []string      // files that account sources read when they are asked
	Warnings    []fault.Fault // what is allowed but most likely not intended

	samples map[string]account.Address
	lines   map[string]int // of the values that name files, by path
}

// AccountSource is an entry of accounts: a list in the file, or a store to be asked. Either
// List or Store is set.
type AccountSource struct {
	List  directory.List
	Store *sources.Options
	Line  int // of the store
}

// Lists returns the accounts that the file lists, in the order in which they are asked.
func (c *Config) Lists() []directory.List {
	var lists []directory.List
	for _, source := range c.Accounts {
		if source.List != nil {
			lists = append(lists, source.List)
		}
	}
	return lists
}

// HasExchange reports whether some provider has a server of Exchange Web Services.
func (c *Config) HasExchange() bool {
	return slices.ContainsFunc(c.Providers, func(p directory.Provider) bool {
		return slices.ContainsFunc(p.Servers, func(s account.Server) bool { return s.Type == account.EWS })
	})
}

// Fault returns the fault that a file named in the configuration has, with the line
// that names it. The key is a path as in messages, such as tls.certificates[0].
func (c *Config) Fault(key string, err error) fault.Fault {
	return fault.Fault{File: c.Files[0], Line: c.lines[key], Text: key + ": " + err.Error()}
}

// Sample returns an address that the provider serves, as an example for the operator.
// It is zero if nobody has the provider.
func (c *Config) Sample(provider string) account.Address { return c.samples[provider] }

// Load reads a configuration. If the file can be read but has faults, the error is a
// fault.List with all of them.
func Load(path string) (*Config, error) {
	data, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data)
}

// Named returns the path of the configuration and of all files and directories that
// it names, whether they exist or not. If Load fails, one of them may be the cause.
func Named(path string) []string {
	data, err := readConfig(path)
	if err != nil {
		return []string{path}
	}
	return load(path, data).named
}

func readConfig(path string) ([]byte, error) {
	f, err := regular.Open(path)
	var data []byte
	if err == nil {
		defer f.Close()
		data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fault.WithoutPath(err))
	}
	return data, nil
}

// parse reads a configuration from data, the content of the file path.
func parse(path string, data []byte) (*Config, error) {
	l := load(path, data)
	if len(l.faults) > 0 {
		l.closeStores()
		return nil, sorted(l.faults, path, l.dropped)
	}
	c := l.Config
	c.Files, c.Warnings = l.files, sorted(l.warnings, path, 0)
	for _, p := range l.providers {
		provider := p.Provider // a copy, so that what else p holds can be freed
		c.Providers = append(c.Providers,
			directory.Provider{Provider: &provider, Domains: p.domains, Aliases: p.aliases, MX: p.mx})
		for _, f := range p.files {
			c.DomainFiles = append(c.DomainFiles, DomainFile{f.path, p.domains[f.begin:f.end], f.maxLoss})
		}
	}
	c.samples = l.samples()
	return &c, nil
}
