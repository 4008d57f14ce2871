// Package living asks the network what mail clients are told about a domain, and drafts a
// configuration that tells them the same.
package living
