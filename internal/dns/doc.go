// Package dns asks DNS: through a list of recursive name servers, whose answers
// it caches, or the name servers of a domain's own zone. It also holds what
// several packages say about DNS: records, TSIG keys and where zones are updated.
//
// Names are lower-case A-labels without the final dot, as account.ParseDomain
// returns them. The data of a record is written as in a zone file (RFC 1035 §5).
package dns
