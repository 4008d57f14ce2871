// Package certs ends TLS for the service: certificates from files, reloaded when
// they change, and certificates ordered by ACME (RFC 8555) when a client first
// asks for a name.
//
// A mail client finds its settings at names of its own domain, such as
// autoconfig.‹domain› and autodiscover.‹domain›, and a certificate that is not
// for that very name is as good as none: Thunderbird passes over it, Outlook
// stops and asks the person. So a hoster needs one for each customer's names,
// and cannot list them beforehand.
//
// certmagic orders, stores and renews. Its own on-demand mode is not used: it
// holds a handshake for up to three minutes, drops a valid certificate when the
// decision about its name fails for a moment, and lets each handshake after a
// failed renewal try again. What stands here in its place decides who may have a
// certificate, how many orders there may be, and for how long a client waits.
package certs
