package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/records"
)

// Publisher publishes what domains should have to the primaries of their zones, by
// dynamic update (RFC 2136). It is safe for concurrent use.
type Publisher struct {
	options Options
	// Tests replace the clocks, as real name servers keep the real time.
	clock     func() time.Time
	signClock func() time.Time // of signatures
}

// Options say where and how to publish.
type Options struct {
	// Updates are the primaries. The longest zone that holds a domain counts.
	Updates []dns.Update
	// Owner is the own name of the service that writes. Records of another
	// owner are treated like those that a person wrote.
	Owner string
	// Replace overwrites what somebody else wrote at the managed names.
	Replace bool
	// Comparer judges what somebody else wrote: what leads clients right may stay. If
	// it is nil, only the same data may.
	Comparer *records.Comparer
	// Timeout limits one question to a primary; zero means five seconds.
	Timeout time.Duration
}

// New checks the options and returns a publisher.
func New(o Options) (*Publisher, error) {
	o.Updates = slices.Clone(o.Updates)
	for i, u := range o.Updates {
		address, err := dns.ServerAddress(u.Primary, "53")
		if err != nil {
			return nil, fmt.Errorf("primary of %s: %w", u.Zone, err)
		}
		if err := u.Key.Check(); err != nil {
			return nil, fmt.Errorf("primary of %s: %w", u.Zone, err)
		}
		o.Updates[i].Primary = address
	}
	if o.Owner == "" {
		o.Owner = "signpost"
	}
	if len(ownershipVersion+" owner="+o.Owner) > dns.MaxText {
		return nil, fmt.Errorf("the owner's name has %d bytes "+
			"and does not fit into the record that marks what was published", len(o.Owner))
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	return &Publisher{options: o, clock: time.Now, signClock: time.Now}, nil
}

// updateFor returns the primary for a domain.
func (p *Publisher) updateFor(domain string) (*dns.Update, error) {
	var best *dns.Update
	for i, u := range p.options.Updates {
		fits := u.Zone == "*" || u.Zone == domain || strings.HasSuffix(domain, "."+u.Zone)
		if fits && (best == nil || best.Zone == "*" || u.Zone != "*" && len(u.Zone) > len(best.Zone)) {
			best = &p.options.Updates[i]
		}
	}
	if best == nil {
		return nil, fault.WithHint(fmt.Errorf("no primary is configured for %s", domain),
			"say in the configuration where its zone is updated, and with which key")
	}
	return best, nil
}

func (p *Publisher) connect(u *dns.Update) *primary {
	return &primary{address: u.Primary, key: u.Key, timeout: p.options.Timeout, clock: p.signClock}
}

// Plan finds out what has to change so that the domain has what it should have.
// For records.Empty, everything that the service wrote has to go.
func (p *Publisher) Plan(ctx context.Context, d records.Domain) (*Plan, error) {
	update, err := p.updateFor(d.Name)
	if err != nil {
		return nil, err
	}
	primary := p.connect(update)
	defer primary.disconnect()
	planner := planner{
		publisher: p, ctx: ctx, primary: primary, domain: d,
		plan: &Plan{Domain: d.Name, primary: update}, zones: map[string]*zonePlan{},
	}
	if err := planner.run(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	return planner.plan, nil
}

// Apply makes the changes of the plan, with one update for each zone, which succeeds
// or fails as a whole. Names with conflicts stay as they are. The primary refuses to
// update a zone that has changed since (ErrChanged).
func (p *Publisher) Apply(ctx context.Context, plan *Plan) error {
	primary := p.connect(plan.primary)
	defer primary.disconnect()
	for _, z := range plan.zones {
		if z.blocked {
			continue
		}
		message, err := z.message()
		if err == nil && message != nil {
			err = primary.update(ctx, z.zone, message)
		}
		if err == nil {
			err = primary.verify(ctx, z.changes)
		}
		if err != nil {
			if fault.Hint(err) == "" {
				err = fault.WithHint(err, "run again: that is safe, and shows what is still to do")
			}
			return fmt.Errorf("%s: zone %s: %w", plan.Domain, z.zone, err)
		}
	}
	return nil
}

// verify reads back what was published. Servers silently leave out parts of an
// update where RFC 2136 §3.4.2 requires it.
func (p *primary) verify(ctx context.Context, changes []Change) error {
	for _, c := range changes {
		found, _, err := p.records(ctx, c.Name, c.Type)
		if err != nil {
			return err
		}
		if len(c.New) > 0 && !dns.SameData(found, c.New) {
			return fmt.Errorf("%s accepted the update, but %s %s is not what was published", p, c.Name, c.Type)
		}
	}
	return nil
}
