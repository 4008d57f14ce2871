package main

import (
	"context"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd about the service (sd_notify(3)). It does nothing where
// systemd does not listen, and a lost message only delays what systemd knows.
func notify(state string) { systemd.SdNotify(false, state) }

// reloading is followed by READY=1 when the reload is over.
func reloading() string {
	return systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec()
}

// watchdog tells systemd twice in its interval that the program runs.
func watchdog(ctx context.Context) {
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			notify(systemd.SdNotifyWatchdog)
		}
	}
}
