package server

import (
	"sync/atomic"
	"time"
)

// throttle counts events of which at most one a second is logged.
type throttle struct {
	events atomic.Int64 // since the last line
	second atomic.Int64 // of the last line, Unix time
	busy   atomic.Bool  // inBackground is writing
}

// add counts an event. If a line is due it reports so, with the number of events since
// the last one.
func (t *throttle) add(now time.Time) (events int64, due bool) {
	n, second := t.events.Add(1), now.Unix()
	if last := t.second.Load(); last == second || !t.second.CompareAndSwap(last, second) {
		return 0, false
	}
	t.events.Add(-n)
	return n, true
}

// inBackground counts an event and calls write if a line is due, in a goroutine of its
// own: accept loops call it, and a log that blocks must not stop them. While one line
// is being written others are dropped.
func (t *throttle) inBackground(write func(events int64)) {
	events, due := t.add(time.Now())
	if !due {
		return
	}
	if !t.busy.CompareAndSwap(false, true) {
		t.events.Add(events) // for the next line
		return
	}
	go func() {
		defer t.busy.Store(false)
		write(events)
	}()
}
