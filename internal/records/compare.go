package records

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync"

	"signpost/internal/dns"
)

// Kind is what is wrong with a record.
type Kind string

// The kinds of findings.
const (
	Missing     Kind = "missing"
	Different   Kind = "different"
	Superfluous Kind = "superfluous"
	Harmful     Kind = "harmful" // leads clients astray or makes them fail
)

// Finding is one fault of a domain's records, and its cure.
type Finding struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Problem string `json:"problem"` // one sentence
	// Remove and Put are the cure, as lines of a zone file.
	Remove []string `json:"remove,omitempty"`
	Put    []string `json:"put,omitempty"`
	// Warning is set where nobody who runs the domain can mend it: the fault
	// is with a host of somebody else, which the configuration names.
	Warning bool `json:"warning,omitempty"`
}

// Comparison is what DNS has, held against what the domain should have.
type Comparison struct {
	Domain   string    `json:"domain"`
	Findings []Finding `json:"findings"`
	// Err is set where DNS did not tell.
	Err error `json:"-"`
}

// MarshalJSON adds the error in words.
func (c Comparison) MarshalJSON() ([]byte, error) {
	type plain Comparison
	object := struct {
		plain
		Error string `json:"error,omitempty"`
	}{plain: plain(c)}
	if c.Err != nil {
		object.Error = c.Err.Error()
	}
	return json.Marshal(object)
}

// Wrong reports whether somebody has to do something.
func (c *Comparison) Wrong() bool {
	for _, f := range c.Findings {
		if !f.Warning {
			return true
		}
	}
	return c.Err != nil
}

// String is the comparison for people, empty where nothing was found.
func (c Comparison) String() string {
	var b strings.Builder
	if c.Err != nil {
		fmt.Fprintf(&b, "%s: could not be compared: %v\n", c.Domain, c.Err)
	}
	for _, f := range c.Findings {
		kind := string(f.Kind)
		if f.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "%s: %s: %s\n", c.Domain, kind, f.Problem)
		for _, line := range f.Remove {
			fmt.Fprintf(&b, "  - %s\n", line)
		}
		for _, line := range f.Put {
			fmt.Fprintf(&b, "  + %s\n", line)
		}
	}
	return b.String()
}

// Summary counts comparisons.
type Summary struct {
	Domains, Right, Wrong, Failed, Findings, Warnings int
}

// Add counts one.
func (s *Summary) Add(c Comparison) {
	s.Domains++
	switch {
	case c.Err != nil:
		s.Failed++
	case c.Wrong():
		s.Wrong++
	default:
		s.Right++
	}
	for _, f := range c.Findings {
		if f.Warning {
			s.Warnings++
		} else {
			s.Findings++
		}
	}
}

func (s Summary) String() string {
	text := fmt.Sprintf("%s: %d right", count(s.Domains, "domain"), s.Right)
	if s.Wrong > 0 {
		text += fmt.Sprintf(", %d wrong with %s", s.Wrong, count(s.Findings, "finding"))
	}
	if s.Failed > 0 {
		text += fmt.Sprintf(", %d could not be compared", s.Failed)
	}
	if s.Warnings > 0 {
		text += ", " + count(s.Warnings, "warning")
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Comparer compares domains with DNS. It is safe for concurrent use.
type Comparer struct {
	resolver    *dns.Resolver
	authorities *dns.Authorities // nil where only the resolver is asked
}

// NewComparer returns a comparer that asks the name servers of each domain. It
// finds them by means of the resolver.
func NewComparer(r *dns.Resolver) *Comparer {
	return &Comparer{r, dns.NewAuthorities(r, "")}
}

// NewViewComparer returns a comparer that asks only the resolver: an internal
// view, or a copy of the zone that is not in use yet.
func NewViewComparer(r *dns.Resolver) *Comparer {
	return &Comparer{resolver: r}
}

// limitAtOnce bounds how many domains are compared at once: at most as many as the
// resolver has questions under way, as the others could wait for it in vain.
func limitAtOnce(n int) int { return min(max(n, 1), dns.MaxConcurrent) }

// CompareAll compares many domains, a number of them at once, and gives the
// results in the order of the domains, which are taken from another goroutine.
// Breaking off the loop ends the work.
func (c *Comparer) CompareAll(ctx context.Context, domains iter.Seq[Domain], atOnce int) iter.Seq[Comparison] {
	return func(yield func(Comparison) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()

		atOnce = limitAtOnce(atOnce)
		slots := make(chan struct{}, atOnce)
		// The queue is longer than the number of workers, so that one slow
		// domain at its head does not stop the others.
		queue := make(chan chan Comparison, 8*atOnce)
		workers.Go(func() {
			defer close(queue)
			for d := range domains {
				result := make(chan Comparison, 1)
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				workers.Go(func() {
					result <- c.Compare(ctx, d)
					<-slots
				})
				select {
				case queue <- result:
				case <-ctx.Done():
					return
				}
			}
		})
		for result := range queue {
			if !yield(<-result) {
				return
			}
		}
	}
}

// Compare holds what DNS says against what the domain should have.
func (c *Comparer) Compare(ctx context.Context, d Domain) Comparison {
	k := check{comparer: c, ctx: ctx, domain: d, right: map[string]dns.Record{}}
	findings, err := k.run()
	if findings == nil {
		findings = []Finding{} // [] in JSON, not null
	}
	return Comparison{Domain: d.Name, Findings: findings, Err: err}
}
