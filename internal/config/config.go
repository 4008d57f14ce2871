package config

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"signpost/account"
	"signpost/internal/conn"
	"signpost/internal/directory"

	"signpost/internal/fault"
)

// maxFile is the largest configuration that is read, room for 150,000 accounts.
// Domains can have files of their own, which cost a hundredth of the memory.
const maxFile = 8 << 20

// Config is a configuration without faults.
type Config struct {
	// Listen is where plain HTTP is served, host:port or unix:path.
	Listen string
	// Admin is where the operator's own tools ask.
	Admin Admin
	// Proxies describes the reverse proxies in front.
	Proxies conn.Proxies
	// Limits bound what clients can take, and Log what is written of them.
	Limits Limits
	Log    Log
	// Name is the service's own host name, or empty.
	Name string
	// ApexCertificates: hosted domains themselves may have certificates, too,
	// whether ordered here or by a proxy that asks.
	ApexCertificates bool
	// TLS is how HTTPS is served; nil where a proxy in front does.
	TLS *TLS
	// Profiles is what configuration profiles are signed with.
	Profiles Profiles
	// Branding is what the set-up page looks like.
	Branding Branding
	// DNS is whom the MX rule asks.
	DNS DNS
	// Providers in the order of the file.
	Providers []directory.Provider
	// Accounts are the sources, in the order in which they are asked.
	Accounts []directory.Source

	// Files are all files that were read, for whoever watches them.
	Files []string
	// Warnings are what is allowed but most likely not meant.
	Warnings []fault.Fault

	samples map[string]account.Address
}

// Profiles names the files of the certificate, with its chain, and of the key
// that sign configuration profiles. Both are empty where nothing is signed.
type Profiles struct{ Certificate, Key string }

// Sample is an address that the provider serves, for a table in which an
// operator sees what everybody of the provider signs in with.
func (c *Config) Sample(provider string) account.Address { return c.samples[provider] }

const (
	defaultListen  = "127.0.0.1:8080"
	defaultTimeout = 2 * time.Second
)

// loader collects what comes out of a file on its way to a Config.
type loader struct {
	Config
	file     string
	faults   []fault.Fault
	warnings []fault.Fault
	untold   int // faults beyond maxKept

	files    []string // files[0] is file
	named    []string // files and folders, whether they can be read or not
	hosted   map[string]origin
	mx       map[string]origin
	byID     map[string]*provider
	list     []*provider
	accounts []directory.Source
	entries  []*entry
}

var topKeys = keys[loader]{
	"listen":           func(l *loader, v *value) { l.Listen, _ = v.listen() },
	"admin":            readAdmin,
	"trustedProxies":   readTrusted,
	"proxyHeaders":     readProxyHeaders,
	"proxyProtocol":    func(l *loader, v *value) { v.boolean(&l.Proxies.Protocol) },
	"limits":           readTraffic,
	"log":              readLog,
	"tls":              readTLS,
	"name":             func(l *loader, v *value) { l.Name, _ = v.host(false) },
	"apexCertificates": func(l *loader, v *value) { v.boolean(&l.ApexCertificates) },
	"profiles":         readProfiles,
	"dns":              readDNS,
	"branding":         readBranding,
	"providers": func(l *loader, v *value) {
		for item := range v.list("providers") {
			if p, ok := readProvider(item); ok {
				l.list = append(l.list, p)
			}
		}
	},
	"accounts": readAccounts,
}

var profilesKeys = keys[Profiles]{
	"certificate": func(p *Profiles, v *value) { p.Certificate, _ = v.file() },
	"key":         func(p *Profiles, v *value) { p.Key, _ = v.file() },
}

func readProfiles(l *loader, v *value) {
	if has, ok := profilesKeys.read(v, &l.Profiles); ok {
		v.require(has, "certificate", "key")
	}
}

// Load reads a configuration. The error is fault.List when the file can be read but
// not used; they are all that is wrong with it.
func Load(path string) (*Config, error) {
	data, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data)
}

// Named lists the configuration and the files and folders that it names, whether
// they are there or not. When it is refused, one of them may be what is missing.
func Named(path string) []string {
	data, err := readConfig(path)
	if err != nil {
		return []string{path}
	}
	return load(path, data).named
}

func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fault.WithoutPath(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fault.WithoutPath(err))
	}
	return data, nil
}

// parse reads a configuration as it stands in the file path.
func parse(path string, data []byte) (*Config, error) {
	l := load(path, data)
	if len(l.faults) > 0 {
		return nil, ordered(l.faults, path, l.untold)
	}
	c := l.Config
	c.Files, c.Accounts, c.Warnings = l.files, l.accounts, ordered(l.warnings, path, 0)
	for _, p := range l.list {
		c.Providers = append(c.Providers, p.finished())
	}
	c.samples = l.samples()
	return &c, nil
}

// load collects all that a configuration says, and all that is wrong with it.
func load(path string, data []byte) *loader {
	l := &loader{file: path, files: []string{path}, named: []string{path}, hosted: map[string]origin{}, mx: map[string]origin{}, byID: map[string]*provider{}}
	l.Listen, l.DNS.Timeout = defaultListen, defaultTimeout
	l.Admin = Admin{Listen: defaultAdmin, Default: true}
	l.Proxies.Trusted, l.Limits, l.Log.Requests = loopback, defaultLimits, defaultLogged
	if len(data) > maxFile {
		l.fault(0, "the file is larger than %d MiB; domains can be kept in a file of their own", maxFile>>20)
	} else if root, ok := parseYAML(l, data); ok {
		l.read(&value{node: &root, l: l})
	}
	return l
}

// read reads the whole and then compares its parts.
func (l *loader) read(v *value) {
	has, ok := topKeys.read(v, l)
	if !ok {
		return
	}
	v.require(has, "providers")
	l.suspectTLS(has)
	for _, p := range l.list {
		if p.ID == "" {
			continue
		}
		if first := l.byID[p.ID]; first != nil {
			p.given["id"].fault("%s is already the id of providers[%d] on line %d", quote(p.ID), first.at.pos, first.given["id"].line)
			continue
		}
		l.byID[p.ID] = p
	}
	l.compareAccounts()
	l.compareProviders()
}

// ids lists the providers that there are, in the order of the file.
func (l *loader) ids() []string {
	var ids []string
	for _, p := range l.list {
		if p.ID != "" && !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (l *loader) fault(line int, format string, args ...any) {
	l.faultIn(l.file, line, fmt.Sprintf(format, args...))
}

func (l *loader) faultIn(file string, line int, text string) {
	if len(l.faults) == maxKept {
		l.untold++
		return
	}
	l.faults = append(l.faults, fault.Fault{File: file, Line: line, Text: text})
}

func (l *loader) warnIn(file string, line int, text string) {
	if len(l.warnings) < maxKept {
		l.warnings = append(l.warnings, fault.Fault{File: file, Line: line, Text: text})
	}
}
