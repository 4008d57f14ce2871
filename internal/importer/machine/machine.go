// Package machine reads what Postfix and Dovecot of this machine are configured to do, and
// drafts a configuration that tells mail clients so.
package machine
