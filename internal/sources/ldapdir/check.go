package ldapdir

import (
	"context"

	"signpost/internal/sources/row"
	"signpost/internal/sources/secret"
)

// Check connects to each server and searches as the service does, for nobody at the
// domain sample.
func (s *Store) Check(ctx context.Context, sample string) []row.Finding {
	var found []row.Finding
	if s.options.PasswordFile != "" {
		if text := secret.Exposed(s.options.PasswordFile); text != "" {
			found = append(found, row.Finding{Text: text, Cure: "chmod 640 and chgrp signpost", Warning: true})
		}
	}
	for _, at := range s.pool.dialer.servers {
		c, err := s.pool.dialer.dialServer(ctx, at)
		if err != nil {
			found = append(found, row.Finding{Text: err.Error()})
			continue
		}
		c.Close()
	}
	return found
}
