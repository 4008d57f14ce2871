package certs

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"signpost/internal/dns"
)

// problemOf returns the answer of the ACME server in err (RFC 8555 §6.7), or nil
// if the server did not answer.
func problemOf(err error) *acme.Problem {
	if p, ok := errors.AsType[acme.Problem](err); ok {
		return &p
	}
	p, _ := errors.AsType[*acme.Problem](err) // of an order that has become invalid
	return p
}

// isServerFault reports whether an order failed for a reason that has nothing to
// do with the name, so that the next order would fail as well.
func isServerFault(p *acme.Problem, name string) bool {
	switch {
	case p == nil, p.Status >= http.StatusInternalServerError:
		return true
	case p.Type == acme.ProblemTypeRateLimited:
		return !concernsName(p, name)
	}
	return false
}

// concernsName reports whether a rate limit applies to the name, its domain or the
// set of names that was ordered, as opposed to the account or our address. Only
// the text tells: Let's Encrypt quotes what the limit applies to.
func concernsName(p *acme.Problem, name string) bool {
	detail := strings.ToLower(p.Detail)
	return strings.Contains(detail, dns.Registrable(name)) || strings.Contains(detail, "exact set of")
}

var retryAfterText = regexp.MustCompile(`(?i)retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d) ?(?:Z|UTC)`)

// retryAfter returns when a rate limit ends, and zero if the server did not say.
// Let's Encrypt says it in the text as well as in the header Retry-After, which
// acmez does not pass on.
func retryAfter(p *acme.Problem) time.Time {
	if p == nil || p.Type != acme.ProblemTypeRateLimited {
		return time.Time{}
	}
	found := retryAfterText.FindStringSubmatch(p.Detail)
	if found == nil {
		return time.Time{}
	}
	t, _ := time.Parse(time.DateTime, found[1]+" "+found[2])
	return t
}
