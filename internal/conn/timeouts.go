package conn

import "time"

// Timeouts limit how long a client may take. A mail client sends its request in one
// packet. A client that needs longer than these is on a very bad line or holds the
// connection on purpose.
type Timeouts struct {
	Header time.Duration // until the header of a request has arrived
	Read   time.Duration // until header and body have arrived
	Write  time.Duration // until the answer is sent
	Idle   time.Duration // between two requests of a connection
	Drain  time.Duration // at the end, until connections are accepted no more; 0 for at once
	Stop   time.Duration // after that, until requests in flight are cut off
}

// DefaultTimeouts apply where the configuration names no others.
var DefaultTimeouts = Timeouts{
	Header: 5 * time.Second,
	Read:   10 * time.Second,
	Write:  30 * time.Second,
	Idle:   60 * time.Second,
	Stop:   10 * time.Second,
}
