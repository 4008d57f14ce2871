package server

// outcome classifies a request.
type outcome int

const (
	answered   outcome = iota // with settings, or with the answer that there are none
	redirected                // to another service, or to https
	unknown                   // the domain is not hosted here, or its settings are not given without an address
	refused                   // because of the client's mistake
	limited                   // too many requests
	failed                    // because of a fault of the service or of DNS
	outcomes
)

var outcomeNames = [outcomes]string{"answered", "redirected", "unknown", "refused", "limited", "failed"}

func (o outcome) String() string { return outcomeNames[o] }

// lookupResult classifies a lookup in the directory.
type lookupResult int

const (
	lookupFound lookupResult = iota
	lookupUnknown
	lookupFailed
	lookupResults
)

var lookupNames = [lookupResults]string{"found", "unknown", "failed"}
