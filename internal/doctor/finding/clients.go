package finding

// clientFaults are the faults of clients.
var clientFaults = []Fault{}
