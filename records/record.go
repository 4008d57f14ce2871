package records

// Record is one resource record.
type Record struct {
	Name   string // without the final dot
	TTL    uint32
	Type   string // SRV, TXT, CNAME, A, AAAA, MX, …
	Data   string // as in a zone file: host names with the final dot, texts quoted
	Reason string // who looks here, in words; empty for a record that was read from DNS
}
