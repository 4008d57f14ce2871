// Package dnstest runs name servers on loopback for tests: ones written for the
// test, and the real BIND, Knot and PowerDNS.
package dnstest
