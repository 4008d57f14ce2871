package finding

// webFaults are the faults of web servers.
var webFaults = []Fault{}
