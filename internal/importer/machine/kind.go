package machine

import (
	"bytes"
	"strings"
)

// kind is what a text is.
type kind int

const (
	unknown kind = iota
	mainCF
	masterCF
	masterOptions // postconf -P
	dovecotConf
	table // of Postfix's or Dovecot's, with a query
)

// Is reports whether a file is a configuration of Postfix or Dovecot, or a table of
// Postfix's with a query.
func Is(data []byte) bool { return kindOf(data) != unknown }

// kindOf tells by the first lines what a text is.
func kindOf(data []byte) kind {
	if bytes.IndexByte(data[:min(len(data), 8192)], 0) >= 0 || len(bytes.TrimSpace(data)) == 0 {
		return unknown
	}
	points := map[kind]int{}
	lines := 0
	for line := range bytes.Lines(data) {
		if lines++; lines > 2000 {
			break
		}
		k, sure := kindOfLine(strings.TrimRight(string(line), "\r\n"))
		if sure {
			return k
		}
		points[k]++
	}
	best := unknown
	for k := mainCF; k <= table; k++ {
		if points[k] > points[best] || best == unknown && points[k] > 0 {
			best = k
		}
	}
	return best
}

// mainNames begin or are names of parameters that no other format has.
var mainNames = []string{"smtpd_", "smtp_", "virtual_", "myhostname", "mydestination", "mynetworks", "myorigin",
	"compatibility_level", "inet_interfaces", "queue_directory", "alias_maps", "2bounce_notice_recipient",
	"relay_domains", "local_recipient_maps"}

// kindOfLine returns what a line belongs to, and whether that is certain.
func kindOfLine(line string) (k kind, sure bool) {
	trimmed := strings.TrimSpace(line)
	if strings.HasPrefix(line, "# 2.") && strings.Contains(line, " (") && strings.Contains(line, "): ") ||
		strings.HasPrefix(line, "dovecot_config_version") {
		return dovecotConf, true // the first line of doveconf -n
	}
	if trimmed == "" || trimmed[0] == '#' || line[0] == ' ' || line[0] == '\t' {
		return unknown, false
	}
	if trimmed[0] == '[' && strings.HasSuffix(trimmed, "]") && !strings.Contains(trimmed, " ") {
		return unknown, true // a section of another tool's file
	}
	if fields := strings.Fields(trimmed); len(fields) >= 8 {
		switch fields[1] {
		case "inet", "unix", "unix-dgram", "fifo", "pass":
			return masterCF, true
		}
	}
	if strings.HasSuffix(trimmed, "{") {
		word, _, _ := strings.Cut(trimmed, " ")
		switch word {
		case "passdb", "userdb", "service", "namespace", "protocol", "protocols", "plugin", "local_name",
			"auth_mechanisms":
			return dovecotConf, false
		}
	}
	name, _, ok := strings.Cut(trimmed, "=")
	name = strings.TrimSpace(name)
	switch {
	case !ok:
		return unknown, false
	case strings.Count(name, "/") >= 2 && isName(strings.ReplaceAll(name, "/", "")):
		return masterOptions, false
	case name == "protocols" || name == "auth_mechanisms" || name == "mail_location" ||
		strings.HasPrefix(name, "ssl_") ||
		name == "disable_plaintext_auth" || name == "auth_username_format" || name == "mail_path":
		return dovecotConf, false
	}
	for _, begin := range mainNames {
		if strings.HasPrefix(name, begin) {
			return mainCF, false
		}
	}
	switch name {
	case "query", "query_filter", "search_base", "select_field", "dbname", "dbpath", "server_host", "result_attribute",
		"password_query", "user_query":
		return table, false
	}
	return unknown, false
}
