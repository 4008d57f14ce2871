package finding

// tlsFaults are the faults of certificates and TLS.
var tlsFaults = []Fault{}
