package finding

// accountFaults are the faults of accounts.
var accountFaults = []Fault{}
