// Package conn prepares connections for the HTTP server: it opens or inherits the
// listeners, reads PROXY protocol, knows the trusted proxies, and limits how many
// connections there are and how long they may take.
package conn
