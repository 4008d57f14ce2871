package service

import (
	"context"
	"fmt"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// notifier reports the state of the service to systemd (sd_notify(3)). It does
// nothing if systemd does not listen. Errors are ignored, because a lost message
// only delays what systemd knows.
type notifier struct {
	mu      sync.Mutex
	stopped bool
}

// send reports a state unless the service is stopping: a reload under way must
// not report that the service is ready.
func (n *notifier) send(state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stopped {
		systemd.SdNotify(false, state)
	}
}

// stopping sends the last message: the service stops within the given time, which
// may be longer than TimeoutStopSec= of the unit.
func (n *notifier) stopping(within time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = true
	systemd.SdNotify(false, fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", systemd.SdNotifyStopping, within.Microseconds()))
}

// reloading returns the state during a reload. READY=1 follows it.
func reloading() string {
	return systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec()
}

// watchdog tells systemd four times per watchdog interval that the program runs.
// It calls probe first each time. If probe hangs, systemd restarts the service.
func (n *notifier) watchdog(ctx context.Context, probe func()) {
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
			probe()
			n.send(systemd.SdNotifyWatchdog)
		}
	}
}
