// Package setup serves the page on which a person sets up a mailbox: one field for
// the address, and then the steps for each device and program, the visitor's own
// first.
//
// It is for everybody whose client does not find the settings: an iPhone that needs
// a profile, an Exchange form that wants server, domain and user name typed in, an
// Outlook that no longer asks the mail service. It never asks for a password.
//
// The page works without scripts, cookies and anything from another host. Addresses
// on it are untrusted input: they are written by html/template only, never logged,
// and never sent in a Referer.
package setup
