package config

import (
	"cmp"
	"time"

	"signpost/internal/conn"
)

// Limits bound what one client, and all clients together, can use.
type Limits struct {
	// Requests is the average per second from one address (for IPv6, one /64
	// network), 0 for no limit. Burst is how many may come at once from an address
	// that has been quiet.
	Requests, Burst int
	// Connections may be open at a time on each listener. Of these, PerAddress may
	// come from one address or /64 network on all listeners; 0 for no limit.
	Connections, PerAddress int
	conn.Timeouts
}

// defaultLimits let an office behind one address set up 200 clients at once: a
// client asks four to ten URLs before it gives up or is satisfied.
var defaultLimits = Limits{
	Requests:    50,
	Burst:       2000,
	Connections: 10_000,
	PerAddress:  1000,
	Timeouts:    conn.DefaultTimeouts,
}

// minPerAddress is enough for the browser and the mail client of one person.
const minPerAddress = 10

var limitKeys = keys[Limits]{
	"requests":              func(l *Limits, v *value) { l.Requests = v.number(0, 1_000_000) },
	"burst":                 func(l *Limits, v *value) { l.Burst = v.number(1, 1_000_000) },
	"connections":           func(l *Limits, v *value) { l.Connections = v.number(10, 1_000_000) },
	"connectionsPerAddress": func(l *Limits, v *value) { l.PerAddress = v.number(0, 1_000_000) },
	"header":                func(l *Limits, v *value) { l.Header = v.duration(100*time.Millisecond, time.Minute) },
	"read":                  func(l *Limits, v *value) { l.Read = v.duration(100*time.Millisecond, 5*time.Minute) },
	"write":                 func(l *Limits, v *value) { l.Write = v.duration(time.Second, 5*time.Minute) },
	"idle":                  func(l *Limits, v *value) { l.Idle = v.duration(time.Second, 10*time.Minute) },
	"drain":                 func(l *Limits, v *value) { l.Drain = v.duration(0, 5*time.Minute) },
	"stop":                  func(l *Limits, v *value) { l.Stop = v.duration(time.Second, 5*time.Minute) },
}

func readLimits(l *loader, v *value) {
	limits := &l.Limits
	has := limitKeys.read(v, limits)
	if has == nil {
		return
	}
	if has["connectionsPerAddress"] == nil {
		limits.PerAddress = max(limits.Connections/10, minPerAddress)
	}
	if at := cmp.Or(has["burst"], has["requests"]); at != nil && 0 < limits.Burst && limits.Burst < limits.Requests {
		at.warn("a burst below the requests per second refuses requests that arrive evenly")
	}
	if at := has["read"]; at != nil && 0 < limits.Read && limits.Read < limits.Header {
		at.fault("the whole request cannot have less time than its header, %v", limits.Header)
	}
}
