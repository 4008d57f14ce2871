package sqldb

import (
	"context"

	"signpost/internal/sources/row"
)

// Check opens the database, runs its queries with nobody@sample, and says what is missing
// and what would mend it.
func (s *Store) Check(ctx context.Context, sample string) []row.Finding { return nil }

func postgresRights(ctx context.Context, s *Store) []row.Finding { return nil }
func mysqlRights(ctx context.Context, s *Store) []row.Finding    { return nil }
