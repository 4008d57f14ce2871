package ldapdir

import (
	"testing"

	"signpost/internal/sources/rig"
)

// BenchmarkAccount compares a question with the bare search that it makes, on the same
// server: "Account" should cost little more than "search".
func BenchmarkAccount(b *testing.B) {
	d := rig.LoadLDAP(b, "openldap")
	s := newStore(b, d, d.URI)
	anna := address(b, "anna@example.com")
	keys := accountKeys(anna)
	c, err := s.pool.get(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("search", func(b *testing.B) {
		request := s.request(d.Suffix, s.account.filter.expand(keys), s.account.asked)
		for b.Loop() {
			if _, err := c.Search(request); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Account", func(b *testing.B) {
		for b.Loop() {
			if rows, err := s.Account(b.Context(), anna); err != nil || len(rows) != 1 {
				b.Fatal(rows, err)
			}
		}
	})
	b.Run("64 at once", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				s.Account(b.Context(), anna)
			}
		})
	})
}
