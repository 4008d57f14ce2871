// Package setup is the page on which a person sets up a mailbox: one field for
// the address, and then what to do on each device and in each program, the one
// that asks first.
//
// It is for whoever a client does not help: an iPhone that needs a profile, an
// Exchange form that wants server, domain and user name typed in, an Outlook
// that no longer asks the mail service. It never asks for a password.
//
// The page works without script, cookie and anything from another host. An
// address on it came from a stranger: it goes through html/template and nowhere
// else, into no log, and no Referer tells it.
package setup
