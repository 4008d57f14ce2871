// Package certs provides the certificates of the TLS listeners: from files that
// are reloaded when they change, and by ACME (RFC 8555), ordered when a client
// first asks for a name.
//
// A mail client looks for its settings at host names in its own domain, such as
// autoconfig.‹domain› and autodiscover.‹domain›, and needs a certificate for
// exactly that name: Thunderbird skips any other, Outlook stops and asks the
// person. So a hoster needs certificates for the names of all its customers, and
// cannot list them in advance.
//
// certmagic orders, stores and renews certificates. Its own on-demand mode is not
// used: it holds a handshake for up to three minutes, drops a valid certificate
// when the decision about its name fails for a moment, and orders again at every
// handshake after a failed renewal. This package decides instead which names may
// have a certificate, how many orders are placed, and how long a client waits.
package certs
