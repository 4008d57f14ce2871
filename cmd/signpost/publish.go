package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/records"
	"signpost/internal/records/publish"
	"signpost/internal/service"
)

// publishBatch is how many plans are shown, confirmed and applied together, which
// bounds the memory that they take.
const publishBatch = 500

// publication publishes the records of many domains.
type publication struct {
	*recordsRun
	publisher *publish.Publisher
	plans     []*publish.Plan // shown, but not applied yet
	planned   int
	published bool // some plans were applied
	conflicts int
}

// publishRecords makes plans, shows them, asks, and applies them. It leaves names with a
// conflict alone, and goes on after a domain that fails. If a domain on the command
// line is not ours, it does nothing at all.
func (r *recordsRun) publishRecords(ctx context.Context) error {
	publisher, err := newPublisher(r.loaded, r.replace)
	if err != nil {
		return err
	}
	for _, name := range r.domains {
		if _, err := r.desired(ctx, name); err != nil {
			r.failures = append(r.failures, err)
		}
	}
	if len(r.failures) > 0 {
		return errors.Join(r.failures...)
	}
	p := publication{recordsRun: r, publisher: publisher}
	for plan := range eachDomain(ctx, r, publisher.Plan) {
		p.show(plan)
		if len(p.plans) == publishBatch {
			if err = p.apply(ctx); err != nil {
				break
			}
		}
	}
	if err = cmp.Or(err, ctx.Err()); err == nil {
		err = p.apply(ctx)
	}
	if err != nil {
		return errors.Join(append(r.failures, err)...)
	}
	return p.result()
}

// mayAsk reports whether plans can be applied: -yes is set, or there is a
// terminal to ask at.
func (p *publication) mayAsk() bool { return p.yes || isTerminal(p.stdin) }

// show prints a plan, and keeps it if it can be applied.
func (p *publication) show(plan *publish.Plan) {
	if !plan.Empty() || len(plan.Notes) > 0 {
		fmt.Fprint(p.stdout, plan)
	}
	if len(plan.Conflicts) > 0 {
		p.conflicts++
	}
	if len(plan.Changes) > 0 {
		p.planned++
		if p.mayAsk() {
			p.plans = append(p.plans, plan)
		}
	}
}

// apply applies the plans shown so far, after asking.
func (p *publication) apply(ctx context.Context) error {
	if len(p.plans) == 0 {
		return nil
	}
	if !p.yes {
		if err := p.confirm(); err != nil {
			return err
		}
	}
	for _, plan := range p.plans {
		if err := p.publisher.Apply(ctx, plan); err != nil {
			p.failures = append(p.failures, err)
			continue
		}
		add, change, remove := plan.Counts()
		fmt.Fprintf(p.stdout, "%s: %d added, %d changed, %d removed\n", plan.Domain, add, change, remove)
	}
	p.plans, p.published = nil, true
	return ctx.Err()
}

// confirm asks the person at the terminal whether to go on.
func (p *publication) confirm() error {
	fmt.Fprint(p.stderr, "signpost: publish this? [y/N] ")
	answer, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		if p.published {
			return errors.New("nothing more is published")
		}
		return errors.New("nothing is published")
	}
	return nil
}

// result returns everything that went wrong.
func (p *publication) result() error {
	if p.planned > 0 && !p.mayAsk() {
		p.failures = append(p.failures, fault.WithHint(errors.New("nothing is published without being asked for"),
			"-yes applies the plan above"))
	}
	if p.conflicts > 0 {
		text := "1 domain is only partly published: it has records that Signpost did not write"
		if p.conflicts > 1 {
			text = fmt.Sprintf("%d domains are only partly published: they have records that Signpost did not write",
				p.conflicts)
		}
		p.failures = append(p.failures,
			fault.WithHint(errors.New(text), "remove the records, or overwrite them with -replace"))
	}
	if len(p.failures) == 0 && p.planned == 0 {
		fmt.Fprintln(p.stdout, "nothing to do")
	}
	return errors.Join(p.failures...)
}

// newPublisher returns a publisher to the primaries of the configuration.
func newPublisher(l *service.Loaded, replace bool) (*publish.Publisher, error) {
	updates, err := l.Config.Updates()
	if err != nil {
		return nil, err
	}
	if len(updates) == 0 {
		return nil, fault.WithHint(
			fmt.Errorf("%s names no primary to publish to", l.File),
			"write dns: {updates: [{zone: …, primary: …, keyFile: …}]}, or print the records and put them in by hand",
		)
	}
	if l.Config.Name == "" {
		return nil, fault.WithHint(fmt.Errorf("%s gives the service no name, which marks what it published", l.File),
			"write name:")
	}
	return publish.New(publish.Options{
		Owner: l.Config.Name, Replace: replace, Updates: updates, Comparer: records.NewViewComparer(l.Resolver),
	})
}
