package rig

import (
	"fmt"
	"strings"
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

// grant returns the statements that create a user who may only read what the preset needs.
// prefix is the database and a dot, as MySQL writes a table.
func grant(preset, scheme, database, user string) string {
	var script strings.Builder
	names := []string{user}
	prefix := ""
	if scheme == "mysql" {
		// The second is whoever comes through the Unix socket.
		names, prefix = []string{user + "@'127.0.0.1'", user + "@localhost"}, database+"."
	}
	for _, name := range names {
		if scheme == "mysql" {
			fmt.Fprintf(&script, "CREATE USER %s IDENTIFIED BY '%s' WITH MAX_USER_CONNECTIONS 8;\n", name, Password)
		} else {
			fmt.Fprintf(&script, "CREATE ROLE %s LOGIN PASSWORD '%s' CONNECTION LIMIT 8;\n", name, Password)
			fmt.Fprintf(&script, "ALTER ROLE %s SET default_transaction_read_only = on;\n", name)
			fmt.Fprintf(&script, "ALTER ROLE %s SET statement_timeout = '2s';\n", name)
		}
		for _, what := range grants[preset] {
			table, columns, _ := strings.Cut(what, " ")
			fmt.Fprintf(&script, "GRANT SELECT %s ON %s%s TO %s;\n", columns, prefix, table, name)
		}
	}
	return script.String()
}
