// Package records works out which DNS records lead mail clients to a domain's
// settings: the records that a domain should have, and why. It prints them, and
// compares them with what the domain's name servers answer. Package
// records/publish writes them to the zones.
package records
