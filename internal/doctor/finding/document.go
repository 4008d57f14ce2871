package finding

// documentFaults are the faults of documents.
var documentFaults = []Fault{}
