// Package records knows the DNS records that lead mail clients to a domain's
// settings: it says which ones a domain should have and why, prints them,
// compares them with what the domain's name servers answer, and publishes them
// by dynamic update (RFC 2136). It also holds the one resolver by which the rest
// of the program asks DNS.
//
// Names are lower-case A-labels without the final dot, as account.ParseDomain
// gives them; the data of a record is written as in a zone file (RFC 1035 §5).
package records
