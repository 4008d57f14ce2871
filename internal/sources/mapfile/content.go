package mapfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"signpost/account"
	"signpost/internal/fault"
	"signpost/internal/regular"
)

// maxFile is the largest file in bytes. It has room for about a million mailboxes.
const maxFile = 64 << 20

// kind is what a file lists.
type kind int

const (
	domains kind = iota
	mailboxes
	aliases
	passwd
	logins // of docker-mailserver
)

// file is one file of a source.
type file struct {
	kind     kind
	path     string
	table    bool // of domains: only the first word of a line is one
	optional bool // it need not exist
}

// files returns the files in the order in which they are read.
func (o *Options) files() (all []file) {
	add := func(k kind, files []File) {
		for _, f := range files {
			all = append(all, file{kind: k, path: f.Path, table: f.Table})
		}
	}
	add(domains, o.Domains)
	add(mailboxes, o.Mailboxes)
	add(passwd, o.Passwd)
	add(aliases, o.Aliases)
	if o.Folder != "" {
		all = append(all, file{kind: logins, path: filepath.Join(o.Folder, "postfix-accounts.cf")},
			file{kind: aliases, path: filepath.Join(o.Folder, "postfix-virtual.cf"), optional: true})
	}
	return all
}

// missing reports whether err says that the file does not exist and need not.
func (f *file) missing(err error) bool { return f.optional && errors.Is(err, fs.ErrNotExist) }

// content is what the files say. Keys are results of account.Address.Key, and domains
// are A-labels.
type content struct {
	options   *Options
	mailboxes map[string]struct{}
	aliases   map[string]string // targets as they were written
	domains   map[string]string // hosted domains, and which other one each is a name of
	names     map[string]string // "@name @domain" of a table of aliases
	keysAt    map[string]bool   // domains of the addresses in tables of aliases
	words     []word            // what may be the names of domains of aliases
	counts    []int             // how many entries each file has
	notes     []note
}

// note is a line that has no effect.
type note struct {
	path, text string
	line       int
}

func newContent(o *Options) *content {
	return &content{options: o, mailboxes: map[string]struct{}{}, aliases: map[string]string{},
		domains: map[string]string{}, names: map[string]string{}, keysAt: map[string]bool{}}
}

func (s *Source) readAll() (*content, error) {
	c := newContent(&s.options)
	for i := range s.files {
		f := &s.files[i]
		before := len(c.mailboxes) + len(c.aliases) + len(c.domains)
		if err := c.read(f); err != nil && !f.missing(err) {
			return nil, f.failed(err)
		}
		c.counts = append(c.counts, len(c.mailboxes)+len(c.aliases)+len(c.domains)-before)
	}
	c.addWords()
	c.resolveNames()
	return c, nil
}

// word is a key of a table of aliases that has no @ and could be the name of a domain.
type word struct {
	file *file
	name string
	line int
}

// addWords adds the domains of aliases. A user with a dot in the name looks like one
// (virtual(5)), but no other key is an address there.
func (c *content) addWords() {
	for _, w := range c.words {
		if _, listed := c.domains[w.name]; listed {
			continue
		}
		if c.keysAt[w.name] {
			c.domains[w.name] = ""
			continue
		}
		c.note(w.file, w.line, "this is taken for a user of the system: no address in a table of aliases ends in "+
			"an @ and this word, as in the domain that it would be; if it is a domain, list it among the domains")
	}
}

// maxNames is how many names of names are followed.
const maxNames = 5

// resolveNames adds the other names of hosted domains. A name of a domain that is not
// hosted, as of one elsewhere, says nothing.
func (c *content) resolveNames() {
	for name := range c.names {
		of := name
		for range maxNames {
			next, more := c.names[of]
			if !more {
				break
			}
			of = next
		}
		if _, hosted := c.domains[of]; hosted && c.names[of] == "" {
			c.domains[name] = of
		}
	}
}

// read adds what one file says.
func (c *content) read(f *file) error {
	file, err := regular.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := &limited{file, maxFile}
	switch f.kind {
	case passwd:
		return users(r, ":", func(user string, line int) { c.addUser(f, user, line) })
	case logins:
		return users(r, "|", func(user string, line int) { c.addUser(f, user, line) })
	}
	var b strings.Builder
	if info, err := file.Stat(); err == nil {
		b.Grow(int(min(info.Size(), maxFile)))
	}
	if _, err := io.Copy(&b, r); err != nil {
		return err
	}
	text := b.String()
	if strings.IndexByte(text, 0) >= 0 {
		return errors.New("it is not text; name the text file that postmap reads")
	}
	if f.kind == domains && !f.table {
		words(text, func(word string, line int) { c.addDomain(f, word, line) })
		return nil
	}
	ignored := entries(text, func(e entry) {
		switch f.kind {
		case domains:
			c.addDomain(f, e.key, e.line)
		case mailboxes:
			c.addMailbox(f, e.key, e.line)
		case aliases:
			c.addAlias(f, e)
		}
	})
	if ignored > 0 {
		c.note(f, ignored,
			"Postfix ignores this line: it has no value, begins with a blank or has an open quotation mark")
	}
	return nil
}

// addDomain adds a hosted domain. Postfix's lists may hold patterns and names of files,
// too, which are not followed.
func (c *content) addDomain(f *file, word string, line int) {
	name, ok := domain(word)
	if !ok {
		if !f.table && line > 0 {
			c.note(f, line, "not every word is a domain name; others are ignored")
		}
		return
	}
	if _, known := c.domains[name]; !known {
		c.domains[name] = ""
	}
}

// domain parses the name of a domain that has mailboxes on the internet.
func domain(text string) (string, bool) {
	name, err := account.ParseDomain(text)
	return name, err == nil && strings.Contains(name, ".")
}

// derived reports whether mailboxes say which domains are hosted.
func (c *content) derived() bool { return len(c.options.Domains) == 0 }

// addUser adds a mailbox by its user name.
func (c *content) addUser(f *file, user string, line int) {
	if !strings.Contains(user, "@") {
		if c.options.Domain == "" || f.kind == logins {
			c.note(f, line, "the user has no domain; say which with the key domain")
			return
		}
		user += "@" + c.options.Domain
	}
	c.addMailbox(f, user, line)
}

// addMailbox adds a mailbox. "@domain" takes what nobody else gets, and tells only that
// the domain is hosted.
func (c *content) addMailbox(f *file, key string, line int) {
	if name, ok := strings.CutPrefix(key, "@"); ok {
		if c.derived() {
			c.addDomain(f, name, 0)
		}
		return
	}
	a, err := account.ParseAddress(key)
	if err != nil {
		c.note(f, line, "this is not the address of a mailbox")
		return
	}
	c.mailboxes[a.Key()] = struct{}{}
	if _, known := c.domains[a.Domain()]; !known && c.derived() {
		c.addDomain(f, a.Domain(), 0)
	}
}

// addAlias adds an entry of virtual_alias_maps (virtual(5)): an address and its targets,
// the name of a domain whose addresses are all aliases, "@domain" with "@other" if each
// mailbox of the other domain exists under this name, too, or "@domain" with a target
// that gets what nobody else does, which nobody signs in with. Of two entries with the
// same key Postfix takes the first.
func (c *content) addAlias(f *file, e entry) {
	local, name, isAddress := cutLast(e.key)
	switch {
	case !isAddress:
		if name, ok := domain(e.key); ok {
			c.words = append(c.words, word{f, name, e.line})
		}
	case local == "":
		own, isDomain := domain(name)
		c.keysAt[own] = isDomain
		if of, ok := strings.CutPrefix(e.value, "@"); ok && isDomain && c.names[own] == "" {
			c.names[own], _ = domain(of)
		}
		if c.options.Folder != "" {
			c.addDomain(f, name, 0)
		}
	default:
		a, err := account.ParseAddress(e.key)
		if err != nil {
			c.note(f, e.line, "this is not the address of a mailbox")
			return
		}
		c.keysAt[a.Domain()] = true
		if _, twice := c.aliases[a.Key()]; !twice {
			c.aliases[a.Key()] = e.value
		}
		// docker-mailserver hosts the domains of its aliases.
		if c.options.Folder != "" {
			c.addDomain(f, a.Domain(), 0)
		}
	}
}

func cutLast(key string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return "", "", false
	}
	return key[:at], key[at+1:], true
}

// maxNotes bounds the notes of one read.
const maxNotes = 20

func (c *content) note(f *file, line int, text string) {
	if len(c.notes) < maxNotes {
		c.notes = append(c.notes, note{f.path, text, line})
	}
}

// limited reads at most left bytes, and then says that the file is too large. A file may
// grow while it is being read.
type limited struct {
	io.Reader
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return n, err
}

func withoutPath(err error) error { return fault.WithoutPath(err) }
