// Package publish brings the records of domains to the primaries of their zones by
// dynamic update (RFC 2136). It changes nothing that another program or a person
// wrote, and records what it wrote itself in the zone.
package publish
