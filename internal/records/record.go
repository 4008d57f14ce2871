package records

// Record is one resource record.
type Record struct {
	Name   string `json:"name"` // without the final dot
	TTL    uint32 `json:"ttl"`
	Type   string `json:"type"`             // SRV, TXT, CNAME, A, AAAA, MX, …
	Data   string `json:"data"`             // as in a zone file: host names with the final dot, texts quoted
	Reason string `json:"reason,omitempty"` // who looks here, in words; empty for a record that was read from DNS
}
