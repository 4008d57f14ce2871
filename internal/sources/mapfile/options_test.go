package mapfile

import (
	"strings"
	"testing"
)

func TestParseFile(t *testing.T) {
	for _, row := range []struct {
		text string
		want File
		err  string // a part of it
	}{
		{"/etc/postfix/virtual", File{"/etc/postfix/virtual", false}, ""},
		{"hash:/etc/postfix/virtual", File{"/etc/postfix/virtual", true}, ""},
		{"lmdb:/etc/postfix/virtual", File{"/etc/postfix/virtual", true}, ""},
		{"texthash:virtual", File{"virtual", true}, ""},
		{"/etc/postfix/a:b", File{"/etc/postfix/a:b", false}, ""},
		{"/etc/postfix/virtual.db", File{}, "text file that they are made from, virtual"},
		{"hash:/etc/postfix/virtual.lmdb", File{}, "text file that they are made from, virtual"},
		{"pcre:/etc/postfix/virtual.pcre", File{}, "patterns list nobody"},
		{"regexp:/etc/postfix/virtual", File{}, "patterns list nobody"},
		{"proxy:mysql:/etc/postfix/mysql-virtual.cf", File{}, "- sql:"},
		{"proxy:hash:/etc/postfix/virtual", File{"/etc/postfix/virtual", true}, ""},
		{"mysql:/etc/postfix/mysql-virtual.cf", File{}, "- sql:"},
		{"ldap:/etc/postfix/ldap-virtual.cf", File{}, "- ldap:"},
		{"tcp:localhost:123", File{}, "tcp is not a type of table"},
		{"hash:", File{}, "path is empty"},
	} {
		got, err := ParseFile(row.text)
		if got != row.want || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("ParseFile(%q) = %v, %v, want %v and an error with %q", row.text, got, err, row.want, row.err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, row := range []struct {
		options Options
		want    string
	}{
		{Options{}, "no file is named"},
		{Options{Mailboxes: []File{{}}}, "a file has no path"},
		{Options{Aliases: []File{{Path: "pcre:/etc/x"}}}, "patterns list nobody"},
		{Options{Passwd: []File{{Path: "users"}}, Domain: "a b"}, "the domain not a domain name"},
	} {
		if _, err := New(row.options); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("New(%+v) = %v, want an error with %q", row.options, err, row.want)
		}
	}
}
