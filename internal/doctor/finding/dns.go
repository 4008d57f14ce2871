package finding

// dnsFaults are the faults of DNS.
var dnsFaults = []Fault{}
