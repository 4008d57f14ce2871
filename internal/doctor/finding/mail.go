package finding

// mailFaults are the faults of mail servers.
var mailFaults = []Fault{}
