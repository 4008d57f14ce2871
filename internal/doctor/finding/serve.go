package finding

import "signpost/internal/doctor/probe"

// serveNothing is a web server that answers 404 where it has no document, and all else as today.
func serveNothing(c *Case, host string) func(probe.WebQuestion, probe.WebAnswer) probe.WebAnswer {
	return func(q probe.WebQuestion, today probe.WebAnswer) probe.WebAnswer {
		h := Hop{q, today}
		if h.host() != host || c.hasAutoconfig(h) || c.hasAutodiscover(h) || today.Failure != nil {
			return today
		}
		return probe.WebAnswer{Status: 404, Header: map[string]string{"Content-Type": "text/html"},
			Address: today.Address, TLS: today.TLS, Took: today.Took}
	}
}

// refuse is a web server that refuses the connections that it leaves unanswered today.
func refuse(host string) func(probe.WebQuestion, probe.WebAnswer) probe.WebAnswer {
	return func(q probe.WebQuestion, today probe.WebAnswer) probe.WebAnswer {
		if (Hop{q, today}).host() != host || today.Failure == nil || today.Failure.Kind != probe.TimedOut {
			return today
		}
		return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "connection refused"}}
	}
}
