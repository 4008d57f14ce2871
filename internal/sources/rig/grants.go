package rig

import (
	"fmt"
	"strings"
	"testing"
)

// grants lists what the user of each preset may read: tables, or some columns of a table
// that also holds passwords or private keys.
var grants = map[string][]string{
	"postfixadmin": {"domain", "alias", "alias_domain", "mailbox (username, name, active)"},
	"mailcow":      {"domain", "alias", "alias_domain", "mailbox (username, name, active, kind)"},
	"iredmail":     {"domain", "alias_domain", "forwardings", "mailbox (username, name, active)"},
	"modoboa": {"admin_domain", "admin_domainalias", "admin_mailbox", "admin_alias", "modoboa_admin_aliasrecipient",
		"core_user (id, email, first_name, last_name, is_active)"},
	"mailu": {"domain", "alternative", "alias", `"user" (email, displayed_name, enabled)`},
	"ispconfig": {"mail_domain (domain, active, server_id)", "mail_forwarding", "server (server_id, server_name)",
		"mail_user (email, name, disableimap, disablepop3)"},
	"froxlor": {"panel_domains (domain, isemaildomain, deactivated, customerid)",
		"panel_customers (customerid, deactivated)", "mail_users (email, imap, pop3)",
		"mail_virtual (email, destination)"},
	"vimbadmin": {"domain", "alias", "mailbox (username, name, active)"},
	"gromox": {"domains", "servers", "aliases", "user_properties",
		"users (id, username, address_status, homeserver)"},
	"ispmail": {"virtual_domains", "virtual_aliases", "virtual_users (email)"},
}

// Grants returns what the user of a preset may read: each a table, and its columns in
// parentheses unless it is the whole table.
func Grants(preset string) []string { return grants[preset] }

// createUser returns the statements that create a user who may do nothing yet.
func (d *Database) createUser() string {
	var script strings.Builder
	for _, name := range d.names() {
		if d.Server.Scheme == "mysql" {
			fmt.Fprintf(&script, "CREATE USER %s IDENTIFIED BY '%s' WITH MAX_USER_CONNECTIONS 8;\n", name, Password)
			continue
		}
		fmt.Fprintf(&script, "CREATE ROLE %s LOGIN PASSWORD '%s' CONNECTION LIMIT 8;\n", name, Password)
		fmt.Fprintf(&script, "ALTER ROLE %s SET default_transaction_read_only = on;\n", name)
		fmt.Fprintf(&script, "ALTER ROLE %s SET statement_timeout = '2s';\n", name)
	}
	return script.String()
}

// rights returns the statements that let the user read what the preset needs.
func (d *Database) rights() string {
	var script strings.Builder
	prefix := ""
	if d.Server.Scheme == "mysql" {
		prefix = d.Name + "."
	}
	for _, name := range d.names() {
		for _, what := range grants[d.Preset] {
			table, columns, _ := strings.Cut(what, " ")
			fmt.Fprintf(&script, "GRANT SELECT %s ON %s%s TO %s;\n", columns, prefix, table, name)
		}
	}
	return script.String()
}

// names returns the user's names as the server writes them. The second one of MySQL is
// whoever comes through the Unix socket.
func (d *Database) names() []string {
	if d.Server.Scheme == "mysql" {
		return []string{d.User + "@'127.0.0.1'", d.User + "@localhost"}
	}
	return []string{d.User}
}

// Revoke takes all rights from the user.
func (d *Database) Revoke(t testing.TB) {
	t.Helper()
	for _, name := range d.names() {
		script := "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM " + name + ";"
		if d.Server.Scheme == "mysql" {
			script = "REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + name + ";"
		}
		d.Run(t, script)
	}
}

// Grant gives the user its rights again.
func (d *Database) Grant(t testing.TB) {
	t.Helper()
	d.Run(t, d.rights())
}
