package config

// foreignWords says what the words of Postfix's and Dovecot's configuration are here. An
// operator who copies a .cf file should not have to guess.
var foreignWords = map[string]map[string]string{
	// mysql_table(5), pgsql_table(5), sqlite_table(5); Dovecot's dovecot-sql.conf.ext, and
	// its words since 2.4.
	"sql": {
		"query": "Postfix's word; here account is the query for an address, " +
			"domain the one for a domain, domains the list",
		"hosts":    "Postfix's word; the hosts stand in database: mysql://user@host/name",
		"host":     "the host stands in database: mysql://user@host/name",
		"dbname":   "Postfix's word; the name stands in database: mysql://user@host/name",
		"dbpath":   "Postfix's word; write database: sqlite:/path/of/the/file",
		"user":     "the user stands in database: mysql://user@host/name",
		"password": passwordCure, "option_file": "Postfix's word; write database: mysql://user@host/name",
		"result_format": "Postfix's word; here the columns of the result have names: " +
			"SELECT … AS address, … AS alias",
		"table":                 "Postfix's old word; write the query itself: account: SELECT … FROM … WHERE … = '%s'",
		"select_field":          "Postfix's old word; write the query itself: account: SELECT … FROM … WHERE … = '%s'",
		"where_field":           "Postfix's old word; write the query itself: account: SELECT … FROM … WHERE … = '%s'",
		"additional_conditions": "Postfix's old word; write the query itself: account: SELECT … FROM … WHERE … = '%s'",
		"expansion_limit":       "Postfix's word; leave it out",
		"tls_CAfile":            "Postfix's word; here caRoot",
		"driver":                "Dovecot's word; the scheme of database says it: mysql://, postgres:// or sqlite:",
		"sql_driver":            "Dovecot's word; the scheme of database says it: mysql://, postgres:// or sqlite:",
		"connect":               "Dovecot's word; here database: mysql://user@host/name",
		"default_pass_scheme":   "Dovecot's word; no password is read here",
		"password_query":        "Dovecot's word; no password is read here, and account is the query for an address",
		"passdb_sql_query":      "Dovecot's word; no password is read here, and account is the query for an address",
		"user_query":            "Dovecot's word; here account is the query for an address",
		"userdb_sql_query":      "Dovecot's word; here account is the query for an address",
		"iterate_query":         "Dovecot's word; mailboxes are never listed here",
		"server":                "the server stands in database: mysql://user@host/name",
	},
	// ldap_table(5); Dovecot's dovecot-ldap.conf.ext, and its words since 2.4.
	"ldap": {
		"server_host":               "Postfix's word; here server: ldaps://host",
		"hosts":                     "Dovecot's word; here server: ldaps://host",
		"ldap":                      "here server: ldaps://host",
		"uris":                      "Dovecot's word; here server: ldaps://host",
		"ldap_uris":                 "Dovecot's word; here server: ldaps://host",
		"server_port":               "Postfix's word; write the port into server: ldap://host:389",
		"search_base":               "Postfix's word; here base",
		"ldap_base":                 "Dovecot's word; here base",
		"scope":                     "everything below base is searched; leave it out",
		"bind":                      "Postfix's word; without bindDN nobody signs in; leave it out",
		"auth_bind":                 "Dovecot's word; nobody's password is tried here; leave it out",
		"bind_dn":                   "Postfix's word; here bindDN",
		"dn":                        "Dovecot's word; here bindDN",
		"ldap_auth_dn":              "Dovecot's word; here bindDN",
		"bind_pw":                   passwordCure,
		"dnpass":                    passwordCure,
		"ldap_auth_dn_password":     passwordCure,
		"password":                  passwordCure,
		"query_filter":              "Postfix's word; here account, with the same placeholders",
		"user_filter":               "Dovecot's word; here account, in which %s is the address",
		"pass_filter":               "Dovecot's word; here account, in which %s is the address",
		"passdb_ldap_filter":        "Dovecot's word; here account, in which %s is the address",
		"userdb_ldap_filter":        "Dovecot's word; here account, in which %s is the address",
		"result_attribute":          "Postfix's word; here attributes: {address: …, alias: …}",
		"result_format":             "Postfix's word; here attributes: {address: …, alias: …}",
		"leaf_result_attribute":     "Postfix's word; here attributes: {address: …, alias: …}",
		"special_result_attribute":  "Postfix's word; members of groups are not followed, and a group has no login",
		"terminal_result_attribute": "Postfix's word; here attributes: {address: …, alias: …}",
		"user_attrs":                "Dovecot's word; here attributes: {address: …, username: …}",
		"pass_attrs":                "Dovecot's word; here attributes: {address: …, username: …}",
		"login":                     "here attributes: {username: …}",
		"start_tls":                 "Postfix's word; ldap:// has StartTLS to any other machine; leave it out",
		"tls":                       "Dovecot's word; ldap:// has StartTLS to any other machine; leave it out",
		"ldap_starttls":             "Dovecot's word; ldap:// has StartTLS to any other machine; leave it out",
		"tls_ca_cert_file":          "here caRoot",
		"tls_require_cert":          "the server's certificate is always verified; caRoot names a private authority",
		"version":                   "only version 3 is spoken; leave it out",
		"ldap_version":              "only version 3 is spoken; leave it out",
		"size_limit":                "Postfix's word; leave it out",
		"chase_referrals":           "referrals are never followed; leave it out",
		"dereference":               "aliases of entries are never followed; leave it out",
		"deref":                     "aliases of entries are never followed; leave it out",
		"database":                  "belongs to a source of the kind sql",
	},
	// main.cf; Dovecot's passdb { driver = passwd-file }.
	"files": {
		"virtual_mailbox_domains": "Postfix's word; here domains",
		"virtual_alias_domains":   "Postfix's word; here domains, which may be a list of files",
		"virtual_mailbox_maps":    "Postfix's word; here mailboxes",
		"virtual_alias_maps":      "Postfix's word; here aliases",
		"args":                    "Dovecot's word; here file",
		"path":                    "here file",
		"passwd_file_path":        "Dovecot's word; here file",
		"driver":                  "Dovecot's word; leave it out",
		"scheme":                  "Dovecot's word; no password is read here",
		"username_format":         "Dovecot's word; here domain, for users that are written without one",
		"auth_default_realm":      "Dovecot's word; here domain",
		"auth_default_domain":     "Dovecot's word; here domain",
		"password":                "no password is read here; leave it out",
		"passwordFile":            "no password is read here; leave it out",
	},
}

const passwordCure = "no password stands in this file; write it into a file of its own that only Signpost can read, " +
	"and here passwordFile: /etc/signpost/….password, or passwordFile: credential:NAME with systemd's LoadCredential"

// withoutForeign answers the words of other programs among the keys of a store. It
// returns the store without them, and the keys that they stand for.
func withoutForeign(v *value, words map[string]string) (rest *value, answered bool) {
	if v.kind != mapping {
		return v, false
	}
	own := *v.node
	own.items = nil
	for i := 0; i+1 < len(v.items); i += 2 {
		key := v.items[i]
		if answer := words[key.text]; answer != "" {
			v.faultAt(key.line, "unknown key %s: %s", quote(key.text), answer)
			// What else is missing may stand in this word.
			own.partial, answered = true, true
			continue
		}
		own.items = append(own.items, key, v.items[i+1])
	}
	return &value{node: &own, parent: v.parent, key: v.key, pos: v.pos, l: v.l}, answered
}
