// Package importer writes a configuration from what other tools, a living domain or the mail
// server of this machine say, and proves that it says the same.
package importer
