package records

// Stats are how often an answer was remembered, how often it was not, and how
// many are remembered now, those that have run out among them.
type Stats struct {
	Hits, Misses uint64
	Entries      int
}

// Stats counts since the resolver was made.
func (r *Resolver) Stats() Stats {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	return Stats{r.cache.hits, r.cache.misses, len(r.cache.entries)}
}
