package network

import (
	"context"

	"signpost/internal/doctor/probe"
)

// Mail implements probe.Asker.
func (n *Network) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	return probe.MailAnswer{Failure: todo()}
}

// TLS implements probe.Asker.
func (n *Network) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	return probe.TLSAnswer{Failure: todo()}
}
