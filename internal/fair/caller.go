package fair

import "context"

// Kind says what a question is asked for. Each kind should have places of its own.
type Kind uint8

// The kinds of questions.
const (
	Operator  Kind = iota // commands and work of the service itself
	Request               // a request of a mail client
	Handshake             // a TLS handshake with a name that only DNS or a store knows
	Ask                   // a proxy's question about such a name
	Listed                // a certificate for a name that the configuration lists
	Kinds                 // the number of kinds
)

// Caller says on whose behalf a question is asked. The zero Caller is the operator.
type Caller struct {
	Kind Kind
	// Block is the address block of the client: an IPv4 address or an IPv6 /64. Wide
	// is the /48 around it. They are zero if they are not known or count for nothing,
	// as Wide does for an IPv4 address.
	Block, Wide uint64
	// Pay takes the price of one question from the budget of the caller, and reports
	// whether there was enough. Nil costs nothing.
	Pay func() bool
}

// Pays takes the price of one question, and reports whether there was enough.
func (c Caller) Pays() bool { return c.Pay == nil || c.Pay() }

// Shares returns the shares of the caller's block, and of the wider block around it,
// which has twice as much: the most places at once, and how many callers more may wait.
// A caller without an address has none.
func (c Caller) Shares(most, wait int) []Share {
	var shares []Share
	if c.Block != 0 {
		shares = append(shares, Share{Key: blockKey(c.Block), Most: most, Wait: wait, own: true})
	}
	if c.Wide != 0 {
		shares = append(shares, Share{Key: wideKey(c.Wide), Most: 2 * most, Wait: 2 * wait, own: true})
	}
	return shares
}

type (
	blockKey uint64
	wideKey  uint64
)

// CallerKey is the key of a context's *Caller.
type CallerKey struct{}

// WithCaller returns a context of questions that are asked on behalf of c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, CallerKey{}, &c)
}

// CallerOf returns on whose behalf a question with this context is asked.
func CallerOf(ctx context.Context) Caller {
	if c, ok := ctx.Value(CallerKey{}).(*Caller); ok {
		return *c
	}
	return Caller{}
}
