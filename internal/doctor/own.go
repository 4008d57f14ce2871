package doctor

import (
	"context"

	"signpost/internal/show"
)

// Own is the configuration of the service on this machine.
type Own struct{}

// OwnView is what the service on this machine has to do with the domain.
type OwnView struct {
	Hosted  bool          `json:"hosted"`
	Servers []show.Server `json:"servers,omitempty"`
}

func (o *OwnView) summary() string {
	if o.Hosted {
		return "served by this Signpost"
	}
	return "not served by this Signpost"
}

func (e *examination) compareOwn(ctx context.Context) *OwnView { return nil }
