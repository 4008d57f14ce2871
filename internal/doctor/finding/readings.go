package finding

import (
	"errors"
	"sync"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/internal/doctor/document"
)

// readings remembers what the bodies of answers mean: nearly all rules want to know, and a
// hostile body is as expensive to read as its limits allow.
type readings struct {
	mu     sync.Mutex
	bodies map[string]*reading
}

// reading is what one body means.
type reading struct {
	tolerant func() meaning
	// autodiscover reports whether the body is an answer of Autodiscover, maybe an error.
	autodiscover func() bool
	xml          func() document.XML
}

// meaning is what a body means to a tolerant client. It has no Format if it is no document.
type meaning struct {
	Format   Format
	Settings account.Settings
	Servers  []account.Server
}

// of returns the reading of a body. Reading begins when one of its functions is called, once for all callers.
func (r *readings) of(body []byte, a account.Address) *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.bodies[string(body)]
	if !ok {
		known = &reading{
			tolerant: sync.OnceValue(func() meaning { return meaningOf(body, a) }),
			autodiscover: sync.OnceValue(func() bool {
				_, err := autodiscover.Read(body)
				_, isError := errors.AsType[*autodiscover.Error](err)
				return err == nil || isError
			}),
			xml: sync.OnceValue(func() document.XML { return document.ReadXML(body) }),
		}
		if r.bodies == nil {
			r.bodies = map[string]*reading{}
		}
		r.bodies[string(body)] = known
	}
	return known
}

func meaningOf(body []byte, a account.Address) (m meaning) {
	var err error
	if m.Settings, err = autoconfig.Read(body, a); err == nil {
		m.Format = Autoconfig
	} else if m.Settings, err = autodiscover.Read(body); err == nil {
		m.Format = Autodiscover
	} else if m.Settings, err = autoconfig.ReadPACC(body, a); err == nil {
		m.Format = PACC
	} else {
		return meaning{}
	}
	m.Servers = m.Settings.Expanded()
	return m
}
