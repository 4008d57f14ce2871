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

// Publisher brings what domains should have to the primaries of their zones, by
// dynamic update (RFC 2136).
type Publisher struct {
	options Options
	clock   func() time.Time
	sign    func() time.Time // the time in signatures
}

// Options say where and how to publish.
type Options struct {
	// Updates are the primaries; the longest zone that holds a domain counts.
	Updates []dns.Update
	// Owner is the service that writes, by its own name. What another owner
	// wrote is as foreign as what a person wrote.
	Owner string
	// Replace takes over what somebody else wrote at names of ours.
	Replace bool
	// Timeout of one exchange with a primary, five seconds if zero.
	Timeout time.Duration
}

// New checks the options and makes a publisher.
func New(o Options) (*Publisher, error) {
	for i, u := range o.Updates {
		address, err := dns.ServerAddress(u.Primary, "53")
		if err != nil {
			return nil, fmt.Errorf("primary of %s: %w", u.Zone, err)
		}
		if err := u.Key.Check(); err != nil {
			return nil, fmt.Errorf("primary of %s: %w", u.Zone, err)
		}
		if i == 0 {
			o.Updates = slices.Clone(o.Updates)
		}
		o.Updates[i].Primary = address
	}
	if o.Owner == "" {
		o.Owner = "signpost"
	}
	if len(markerVersion+" owner="+o.Owner) > dns.MaxText {
		return nil, fmt.Errorf("the owner's name has %d octets and does not fit into the record that marks what was published", len(o.Owner))
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	return &Publisher{options: o, clock: time.Now, sign: time.Now}, nil
}

// updateFor picks the primary for a domain.
func (p *Publisher) updateFor(domain string) (*dns.Update, error) {
	var best *dns.Update
	for i, u := range p.options.Updates {
		fits := u.Zone == "*" || u.Zone == domain || strings.HasSuffix(domain, "."+u.Zone)
		if fits && (best == nil || best.Zone == "*" || u.Zone != "*" && len(u.Zone) > len(best.Zone)) {
			best = &p.options.Updates[i]
		}
	}
	if best == nil {
		return nil, fault.WithHint(fmt.Errorf("no primary is configured for %s", domain), "say in the configuration where its zone is updated, and with which key")
	}
	return best, nil
}

func (p *Publisher) connect(u *dns.Update) *primary {
	return &primary{address: u.Primary, key: u.Key, timeout: p.options.Timeout, clock: p.sign}
}

// Plan finds out what has to be done so that the domain has what it should have.
// For a domain that Remove made, that is to take out everything we wrote.
func (p *Publisher) Plan(ctx context.Context, d records.Domain) (*Plan, error) {
	update, err := p.updateFor(d.Name)
	if err != nil {
		return nil, err
	}
	b := planner{publisher: p, ctx: ctx, domain: d, plan: &Plan{Domain: d.Name, primary: update}, zones: map[string]*zonePlan{}}
	b.primary = p.connect(update)
	defer b.primary.close()
	if err := b.all(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	return b.plan, nil
}

// Apply does what the plan says, in one update for each zone, which is done as a
// whole or not at all. A plan with conflicts is refused, and so is the update of
// a zone that has changed since (ErrChanged).
func (p *Publisher) Apply(ctx context.Context, plan *Plan) error {
	if len(plan.Conflicts) > 0 {
		return fault.WithHint(fmt.Errorf("%s: %s", plan.Domain, count(len(plan.Conflicts), "conflict")),
			"look at the records in the way; -replace puts ours in their place")
	}
	primary := p.connect(plan.primary)
	defer primary.close()
	for _, z := range plan.zones {
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

// verify reads back what was published. Servers leave parts of an update out
// without a word where RFC 2136 §3.4.2 has them do so.
func (p *primary) verify(ctx context.Context, changes []Change) error {
	for _, c := range changes {
		records, _, err := p.records(ctx, c.Name, c.Type)
		if err != nil {
			return err
		}
		if len(c.New) > 0 && !dns.SameData(records, c.New) {
			return fmt.Errorf("%s took the update, but %s %s is not what was published", p, c.Name, c.Type)
		}
	}
	return nil
}
