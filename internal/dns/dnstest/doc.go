// Package dnstest runs name servers on loopback for tests: servers in Go that answer as
// a test says, and the real BIND, Knot and PowerDNS.
package dnstest
