package config

import (
	"fmt"
	"time"

	"signpost/internal/fault"
)

const (
	defaultListen     = "127.0.0.1:8080"
	defaultDNSTimeout = 2 * time.Second
)

// loader collects the values of a configuration file, and its faults, until they
// become a Config.
type loader struct {
	Config
	file     string
	faults   []fault.Fault
	warnings []fault.Fault
	dropped  int // faults beyond maxKept

	files  []string // files that were read; files[0] is file
	named  []string // files and directories that the configuration names
	hosted map[string]origin
	mx     map[string]origin

	aliasOf map[string]string // the domain that a domain is another name of

	byID      map[string]*provider
	providers []*provider
	entries   []*entry
	stores    []*store
}

var topKeys = keys[loader]{
	"listen":         func(l *loader, v *value) { l.Listen = v.listen() },
	"admin":          func(l *loader, v *value) { adminKeys.read(v, &l.Admin) },
	"trustedProxies": readTrusted,
	"proxyHeaders": func(l *loader, v *value) {
		l.Proxies.Forwarded = v.either("x-forwarded", "forwarded") == "forwarded"
	},
	"proxyProtocol":    func(l *loader, v *value) { l.Proxies.Protocol = v.boolean() },
	"limits":           readLimits,
	"log":              func(l *loader, v *value) { logKeys.read(v, &l.Log) },
	"tls":              readTLS,
	"name":             func(l *loader, v *value) { l.Name = v.host() },
	"hsts":             readHSTS,
	"apexCertificates": func(l *loader, v *value) { l.ApexCertificates = v.boolean() },
	"profiles":         func(l *loader, v *value) { pairKeys.read(v, &l.Profiles, "certificate", "key") },
	"dns":              func(l *loader, v *value) { dnsKeys.read(v, &l.DNS) },
	"branding":         func(l *loader, v *value) { brandingKeys.read(v, &l.Branding) },
	"accounts":         readAccounts,
	"providers":        func(l *loader, v *value) { l.providers = each(v.list("providers"), readProvider) },
}

// load reads a configuration and collects all of its values and faults.
func load(path string, data []byte) *loader {
	l := &loader{
		file: path, files: []string{path}, named: []string{path},
		hosted: map[string]origin{}, mx: map[string]origin{}, byID: map[string]*provider{},
		aliasOf: map[string]string{},
	}
	l.lines = map[string]int{}
	l.Listen, l.DNS.Timeout = defaultListen, defaultDNSTimeout
	l.Admin = Admin{Listen: defaultAdmin, Default: true}
	l.Proxies.Trusted, l.Limits, l.Log.Requests = loopback, defaultLimits, defaultLogged
	if len(data) > maxFile {
		l.fault(path, 0, "the file is larger than %d MiB; domains can be kept in a file of their own", maxFile>>20)
	} else if root, ok := parseYAML(l, data); ok {
		l.read(&value{node: &root, l: l})
	}
	return l
}

// read reads the whole file and then compares its parts.
func (l *loader) read(v *value) {
	has := topKeys.read(v, l, "providers")
	if has == nil {
		return
	}
	if tls := has["tls"]; tls != nil && has["listen"] == nil {
		tls.warn(`plain HTTP stays at %s, but clients that find no certificate ask there; write listen: ":80"`,
			defaultListen)
	}
	if hsts := has["hsts"]; hsts != nil && has["name"] == nil {
		hsts.fault("is for the service's own name, and name is missing")
	}
	if branding := has["branding"]; branding != nil && len(l.Branding.EmbeddedBy) > 0 && has["name"] == nil {
		branding.fault("embeddedBy needs the service's own name in its URLs, and name is missing")
	}
	for _, p := range l.providers {
		if p.ID == "" {
			continue
		}
		if first := l.byID[p.ID]; first != nil {
			p.has["id"].fault("%s is already the id of providers[%d] on line %d",
				quote(p.ID), first.at.pos, first.has["id"].line)
			continue
		}
		l.byID[p.ID] = p
	}
	l.share()
	for _, p := range l.providers {
		p.complete()
		l.compareAliasDomains(p)
	}
	l.completeStores()
	l.compareAccounts()
	l.compareProviders()
	l.findCircles()
}

func (l *loader) fault(file string, line int, format string, args ...any) {
	l.addFault(fault.Fault{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) addFault(f fault.Fault) {
	if len(l.faults) == maxKept {
		l.dropped++
		return
	}
	l.faults = append(l.faults, f)
}

func (l *loader) warn(file string, line int, text string) {
	l.addWarning(fault.Fault{File: file, Line: line, Text: text})
}

func (l *loader) addWarning(f fault.Fault) {
	if len(l.warnings) < maxKept {
		l.warnings = append(l.warnings, f)
	}
}
