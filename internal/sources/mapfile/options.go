// Package mapfile reads accounts and domains from files: the tables of Postfix in text
// form, Dovecot's passwd-file, and the files of docker-mailserver. It starts no program
// and reads no password: of a line of a passwd-file it keeps the first field.
package mapfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"signpost/account"
)

// Options names the files of a source. A file may be missing when the source is opened.
type Options struct {
	Domains   []File // lists of domains, or tables whose keys are domains
	Mailboxes []File // Postfix's virtual_mailbox_maps
	Aliases   []File // Postfix's virtual_alias_maps
	Passwd    []File // Dovecot's passwd-files

	// Folder is the folder of docker-mailserver that holds postfix-accounts.cf and,
	// if there are aliases, postfix-virtual.cf.
	Folder string
	// Domain belongs to users of Passwd that are written without one.
	Domain string
	// UnixUsers is set if an alias whose target is a name without @ belongs to the
	// Unix user of that name, who signs in with it. Without it such an alias has no
	// login of its own: most of them lead to root.
	UnixUsers bool
}

// File is a file and how it is read.
type File struct {
	Path string
	// Table is set if a file of domains is a table, with a key and a value on each line.
	// Without it, each word on a line is a domain, as in virtual_mailbox_domains.
	Table bool
}

// The types of tables that Postfix makes from a text file of the same name
// (postmap(1)); texthash is that file itself.
var textTypes = []string{"hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"}

// insteadOf says what to write in place of Postfix's other types of tables.
var insteadOf = map[string]string{
	"pcre": patterns, "regexp": patterns, "cidr": patterns,
	"mysql": "use an account source of its own, - sql:", "pgsql": "use an account source of its own, - sql:",
	"sqlite": "use an account source of its own, - sql:", "ldap": "use an account source of its own, - ldap:",
	"inline": "write its entries into a text file",
	"static": "it has one answer to every question, and so lists nobody",
}

const patterns = "patterns list nobody; give the table with the addresses themselves, or leave it out"

// ParseFile reads the path of a table as Postfix's main.cf has it, with or without its
// type, such as hash:/etc/postfix/virtual. The error says what to write instead.
func ParseFile(text string) (File, error) {
	// Postfix's proxy server (proxymap(8)) changes nothing about a table.
	text = strings.TrimPrefix(text, "proxy:")
	kind, path, typed := strings.Cut(text, ":")
	typed = typed && !strings.Contains(kind, "/")
	if typed {
		switch {
		case slices.Contains(textTypes, kind):
			text = path
		case insteadOf[kind] != "":
			return File{}, fmt.Errorf("a table of type %s cannot be read here: %s", kind, insteadOf[kind])
		default:
			return File{}, fmt.Errorf("%s is not a type of table that is made from a text file", kind)
		}
	}
	switch extension := filepath.Ext(text); {
	case text == "":
		return File{}, errors.New("the path is empty")
	case slices.Contains([]string{".db", ".lmdb", ".cdb", ".pag", ".dir"}, extension):
		return File{}, fmt.Errorf("%s files are compiled by postmap; name the text file that they are made from, %s",
			extension, strings.TrimSuffix(filepath.Base(text), extension))
	}
	return File{Path: text, Table: typed}, nil
}

// validate returns what is wrong with the options, for the operator.
func (o *Options) validate() error {
	if len(o.Domains)+len(o.Mailboxes)+len(o.Aliases)+len(o.Passwd) == 0 && o.Folder == "" {
		return errors.New("no file is named")
	}
	for _, files := range [][]File{o.Domains, o.Mailboxes, o.Aliases, o.Passwd} {
		for _, f := range files {
			if f.Path == "" {
				return errors.New("a file has no path")
			}
			if _, err := ParseFile(f.Path); err != nil {
				return err
			}
		}
	}
	if o.Domain != "" {
		if _, err := account.ParseDomain(o.Domain); err != nil {
			return errors.New("the domain " + err.Error())
		}
	}
	return nil
}
