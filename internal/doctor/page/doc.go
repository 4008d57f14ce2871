// Package page serves the doctor to a support desk: a form for an address, and the
// diagnosis as a page that fills itself without scripts.
//
// It belongs on the admin listener, never on a public one: whoever reaches it has this
// machine ask servers of his choice. The diagnosis is found by an identifier that cannot be
// guessed and that lasts ten minutes. The address is never in a URL and never in a log.
package page
