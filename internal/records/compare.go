package records

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"signpost/internal/caa"
	"signpost/internal/dns"
)

// Kind says what is wrong with a record.
type Kind string

// The kinds of findings.
const (
	Missing     Kind = "missing"
	Different   Kind = "different"
	Superfluous Kind = "superfluous"
	Harmful     Kind = "harmful" // leads clients astray or makes them fail
)

// Finding is one fault of a domain's records, and how to fix it.
type Finding struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Problem string `json:"problem"` // one sentence
	// Remove and Put fix the fault. They hold lines of a zone file.
	Remove []string `json:"remove,omitempty"`
	Put    []string `json:"put,omitempty"`
	// Warning is set if the owner of the domain cannot fix the fault, because
	// it is with somebody else's host, which the configuration names.
	Warning bool `json:"warning,omitempty"`
}

// Comparison is the result of comparing a domain with DNS.
type Comparison struct {
	Domain   string    `json:"domain"`
	Findings []Finding `json:"findings"`
	// Error is set if DNS gave no answer.
	Error string `json:"error,omitempty"`
}

// Wrong reports whether the domain needs attention.
func (c *Comparison) Wrong() bool {
	isFault := func(f Finding) bool { return !f.Warning }
	return c.Error != "" || slices.ContainsFunc(c.Findings, isFault)
}

// String returns the comparison as text, empty if nothing was found.
func (c Comparison) String() string {
	var b strings.Builder
	if c.Error != "" {
		fmt.Fprintf(&b, "%s: could not be compared: %v\n", c.Domain, c.Error)
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

// Add counts one comparison.
func (s *Summary) Add(c Comparison) {
	s.Domains++
	switch {
	case c.Error != "":
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

	web         *http.Client // asks the service; nil if only DNS is asked
	certificate func(host string) bool

	authority *caa.Authority // that issues the certificates; nil if nobody cares
}

// NewComparer returns a comparer that asks the name servers of each domain. It
// finds them by means of the resolver.
func NewComparer(r *dns.Resolver) *Comparer {
	return &Comparer{resolver: r, authorities: dns.NewAuthorities(r, "")}
}

// NewViewComparer returns a comparer that asks only the resolver: an internal
// view, or a copy of the zone that is not in use yet.
func NewViewComparer(r *dns.Resolver) *Comparer {
	return &Comparer{resolver: r}
}

// Compare compares what DNS has with what the domain should have.
func (c *Comparer) Compare(ctx context.Context, d Domain) Comparison { return c.CompareAt(ctx, nil, d) }

// Lookup asks a name server for the records of a name.
type Lookup func(ctx context.Context, name, recordType string) (dns.Answer, error)

// CompareAt compares what one name server has with what the domain should have. Only
// the addresses of hosts come from the resolver.
func (c *Comparer) CompareAt(ctx context.Context, server Lookup, d Domain) Comparison {
	k := check{Comparer: c, ctx: ctx, own: server, domain: d, right: map[string]dns.Record{}}
	comparison := Comparison{Domain: d.Name, Findings: []Finding{}} // [] in JSON, not null
	findings, err := k.run()
	if err != nil {
		comparison.Error = err.Error()
	}
	comparison.Findings = append(comparison.Findings, findings...)
	return comparison
}
