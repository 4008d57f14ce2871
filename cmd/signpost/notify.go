package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// notifier tells systemd about the service (sd_notify(3)). It does nothing where
// systemd does not listen, and a lost message only delays what systemd knows.
type notifier struct {
	mu       sync.Mutex
	stopping bool
}

// say tells a state, unless the service stops: a reload that was under way must
// not say that it is ready.
func (n *notifier) say(state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stopping {
		systemd.SdNotify(false, state)
	}
}

// stop is the last word, with the time that the end may take, which may be more
// than TimeoutStopSec= of the unit.
func (n *notifier) stop(within time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopping = true
	systemd.SdNotify(false, fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", systemd.SdNotifyStopping, within.Microseconds()))
}

// reloading is followed by READY=1 when the reload is over.
func reloading() string {
	return systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec()
}

// watchdog tells systemd, four times in its interval, that the program runs, each
// time after it has looked: where a look does not come to its end, nothing is said
// and the program is started anew.
func (n *notifier) watchdog(ctx context.Context, look func()) {
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	ticker := time.NewTicker(max(interval/4, 1))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			look()
			n.say(systemd.SdNotifyWatchdog)
		}
	}
}
