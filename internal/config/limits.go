package config

import (
	"time"

	"signpost/internal/conn"
)

// Limits are what one client, and all together, can take of the service.
type Limits struct {
	// Requests a second from one address (of IPv6, one /64 network) on average,
	// 0 for no limit, and at once from an address that has been quiet.
	Requests, Burst int
	// Connections that are open at a time, of each listener, and PerAddress of
	// them, of all listeners together, from one address or /64 network; 0 for no
	// limit.
	Connections, PerAddress int
	conn.Timeouts
}

// defaultLimits let an office behind one address set up 200 clients at once: a
// client asks at four to ten places before it gives up or is satisfied.
var defaultLimits = Limits{
	Requests:    50,
	Burst:       2000,
	Connections: 10_000,
	PerAddress:  1000,
	Timeouts:    conn.DefaultTimeouts,
}

// minPerAddress lets one person's browser and mail client in.
const minPerAddress = 10

var trafficKeys = keys[Limits]{
	"requests":              func(l *Limits, v *value) { l.Requests, _ = v.number(0, 1_000_000) },
	"burst":                 func(l *Limits, v *value) { l.Burst, _ = v.number(1, 1_000_000) },
	"connections":           func(l *Limits, v *value) { l.Connections, _ = v.number(10, 1_000_000) },
	"connectionsPerAddress": func(l *Limits, v *value) { l.PerAddress, _ = v.number(0, 1_000_000) },
	"header":                func(l *Limits, v *value) { l.Header, _ = v.duration(100*time.Millisecond, time.Minute) },
	"read":                  func(l *Limits, v *value) { l.Read, _ = v.duration(100*time.Millisecond, 5*time.Minute) },
	"write":                 func(l *Limits, v *value) { l.Write, _ = v.duration(time.Second, 5*time.Minute) },
	"idle":                  func(l *Limits, v *value) { l.Idle, _ = v.duration(time.Second, 10*time.Minute) },
	"stop":                  func(l *Limits, v *value) { l.Stop, _ = v.duration(time.Second, 5*time.Minute) },
}

func readTraffic(l *loader, v *value) {
	has, ok := trafficKeys.read(v, &l.Limits)
	if !ok {
		return
	}
	if has["connectionsPerAddress"] == nil {
		l.Limits.PerAddress = max(l.Limits.Connections/10, minPerAddress)
	}
	for _, key := range []string{"burst", "requests"} {
		if at := has[key]; at != nil && l.Limits.Requests > 0 && 0 < l.Limits.Burst && l.Limits.Burst < l.Limits.Requests {
			at.warn("a burst below the requests of one second refuses requests that come evenly")
			break
		}
	}
	if at := has["read"]; at != nil && 0 < l.Limits.Read && l.Limits.Read < l.Limits.Header {
		at.fault("the whole request cannot have less time than its header, %v", l.Limits.Header)
	}
}
