package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"signpost/internal/fault"
	"signpost/internal/sources"
	"signpost/internal/sources/ldapdir"
	"signpost/internal/sources/mapfile"
	"signpost/internal/sources/sqldb"
)

// store is an account source that is not in this file, while it is being read.
type store struct {
	sources.Options
	at       *value // its own keys
	has      present
	provider *value
	words    []*value // of providers

	faulty    bool // it is not opened, as what is missing is known already
	noDomains bool // the key domains is false
	caRoot    string

	sql   sqldb.Options
	ldap  ldapdir.Options
	files mapfile.Options
	// open makes the backend from the options of its kind.
	open func(*store) (sources.Backend, error)
}

// storeKeys are the keys that all stores have.
var storeKeys = keys[store]{
	"provider":  func(s *store, v *value) { s.Provider, s.provider = v.word(), v },
	"providers": readWords,
	"timeout":   func(s *store, v *value) { s.Timeout = v.duration(50*time.Millisecond, 10*time.Second) },
	"refresh":   func(s *store, v *value) { s.Refresh = v.duration(5*time.Second, time.Hour) },
	"keep":      func(s *store, v *value) { s.Keep = v.duration(time.Minute, 720*time.Hour) },
}

// networkKeys are the keys of stores that are reached over a network.
var networkKeys = keys[store]{
	"passwordFile": func(s *store, v *value) { s.sql.PasswordFile = v.passwordFile() },
	"caRoot":       func(s *store, v *value) { s.caRoot = v.storeFile() },
	"connections":  func(s *store, v *value) { s.Connections = v.number(1, 100) },
}

// storeKind is what a key of accounts means.
type storeKind struct {
	keys     keys[store] // its own; the others are common
	required []string
	foreign  map[string]string // words of other programs, and what they are here
	open     func(*store) (sources.Backend, error)
}

var storeKinds = map[string]storeKind{
	"sql":              {sqlKeys, []string{"database"}, foreignWords["sql"], openSQL},
	"ldap":             {ldapKeys, []string{"server", "account"}, foreignWords["ldap"], openLDAP},
	"postfix":          {postfixKeys, nil, foreignWords["files"], openFiles},
	"passwd":           {passwdKeys, []string{"file"}, foreignWords["files"], openFiles},
	"dockermailserver": {dockerKeys, []string{"folder"}, foreignWords["files"], openFiles},
}

// readStore reads a store of a kind. name is the kind or the preset that it comes from, and
// needs says what the preset needs.
func readStore(l *loader, v *value, name, needs string, kind storeKind) {
	v, answered := withoutForeign(v, kind.foreign)
	s := &store{at: v, open: kind.open}
	s.Name = fmt.Sprintf("%d-%s", v.parent.pos+1, name)
	before := len(l.faults)
	s.has = merge(storeKeys, kind.keys).read(v, s)
	for _, key := range kind.required {
		if s.has != nil && s.has[key] == nil && !v.partial {
			v.fault("%s is missing%s", key, needs)
		}
	}
	s.faulty = answered || len(l.faults) > before
	l.stores = append(l.stores, s)
	l.Accounts = append(l.Accounts, AccountSource{Store: &s.Options, Line: v.line})
}

// readWords reads the words of a store that mean providers.
func readWords(s *store, v *value) {
	if !v.is(mapping, "a mapping of the store's words to ids of providers") {
		return
	}
	s.Providers = map[string]string{}
	for key, item := range v.entries() {
		if key.text == "" {
			v.faultAt(key.line, "a word of the store is missing before the colon")
		} else if id := item.word(); id != "" {
			s.Providers[key.text] = id
			s.words = append(s.words, item)
		}
	}
}

// completeStores compares the stores with the providers and opens their backends, which
// connect to nothing yet.
func (l *loader) completeStores() {
	for _, s := range l.stores {
		for _, named := range append(s.words, s.provider) {
			if named == nil {
				continue
			}
			if id := named.node.text; id != "" && l.byID[id] == nil {
				named.fault("there is no provider %s%s", quote(id), didYouMean(id, slices.Sorted(maps.Keys(l.byID))))
			}
		}
		if s.faulty {
			continue
		}
		backend, err := s.open(s)
		if err != nil {
			s.report(err)
			continue
		}
		s.Backend = backend
		columns := backend.Columns()
		s.NoDomains = s.noDomains || !columns.Domains && !columns.OneDomain
		if s.provider == nil && !s.NoDomains {
			s.Provider = l.onlyProvider(s)
		}
		if s.Providers == nil {
			s.Providers = map[string]string{}
			for id := range l.byID {
				s.Providers[id] = id
			}
		}
	}
}

// onlyProvider returns the provider of the domains of a store that names none.
func (l *loader) onlyProvider(s *store) string {
	ids := slices.Sorted(maps.Keys(l.byID))
	switch {
	case len(ids) == 1:
		return ids[0]
	case len(ids) > 1 && len(ids) <= 5:
		s.at.fault("provider is missing: this file has %s; write the one that the domains of this store have, "+
			"such as provider: %s", strings.Join(ids, ", "), ids[0])
	case len(ids) > 5:
		s.at.fault("provider is missing: this file has %d; write the id of the one that the domains of this store have",
			len(ids))
	}
	return ""
}

// report records why a backend refuses its options, at the key that is to blame.
func (s *store) report(err error) {
	option, text := optionOf(err)
	if hint := fault.Hint(err); hint != "" {
		text = strings.TrimSuffix(text, ";") + "; " + hint
	}
	at := s.at
	if own := s.has[option]; own != nil && !own.preset {
		at = own
	} else if option != "" {
		text = option + ": " + text
	}
	at.fault("%s", text)
}

// closeStores closes the backends of a configuration that is not used.
func (l *loader) closeStores() {
	for _, s := range l.stores {
		if s.Backend != nil {
			s.Backend.Close()
		}
	}
}

// credential begins the path of a password file that systemd provides.
const credential = "credential:"

// passwordFile reads the path of a file with a password, or the name of a credential.
func (v *value) passwordFile() string {
	if v.kind == scalar && strings.HasPrefix(v.node.text, credential) {
		return v.text("the path of a file")
	}
	return v.storeFile()
}

// storeFile reads the path of a file that a source reads when it is asked.
func (v *value) storeFile() string {
	path := absolute(v.file())
	if path != "" {
		v.l.StoreFiles = append(v.l.StoreFiles, path)
	}
	return path
}

// absolute returns a path that does not depend on the working directory.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil && path != "" {
		return whole
	}
	return path
}

// foreignFalse are the words that say false in other programs and in YAML 1.1.
var foreignFalse = []string{"no", "off", "none", "never", "n", "false", "~", "null", "0"}

// noDomainsOr reads false for a store whose domains stand elsewhere, or calls read.
func noDomainsOr(read func(s *store, v *value)) func(s *store, v *value) {
	return func(s *store, v *value) {
		switch {
		case v.isWord("false"):
			s.noDomains = true
		case v.isWord("true"):
			v.fault("the domains are asked for unless this is false; leave it out")
		case read == nil:
			v.fault("can only be false, if the domains of this store stand elsewhere")
		case v.kind == scalar && slices.Contains(foreignFalse, strings.ToLower(v.node.text)):
			v.fault("%s is not false: write domains: false", quote(v.node.text))
		default:
			read(s, v)
		}
	}
}

// storesHaveDomains reports whether domains may be hosted that this file does not name.
func (l *loader) storesHaveDomains() bool {
	return slices.ContainsFunc(l.stores, func(s *store) bool { return !s.NoDomains })
}

// usedByStores returns the ids of the providers that stores may name.
func (l *loader) usedByStores() map[string]bool {
	used := map[string]bool{}
	for _, s := range l.stores {
		if s.Provider != "" {
			used[s.Provider] = true
		}
		for _, id := range s.Providers {
			used[id] = used[id] || s.namesProviders()
		}
	}
	return used
}

// namesProviders reports whether the rows of a store may hold the id of a provider.
func (s *store) namesProviders() bool {
	return s.ldap.Attributes.Provider+s.ldap.DomainAttributes.Provider != "" ||
		strings.Contains(strings.ToLower(s.sql.Account+s.sql.Domain+s.sql.Domains), "provider")
}
