package server

import (
	"log/slog"
	"strings"

	"signpost/internal/fault"
)

// errorLog receives what net/http logs. Most of that is about clients that hang up or
// do not speak TLS, which interests developers only.
type errorLog struct {
	log      *slog.Logger
	throttle throttle // of failures to accept
}

// Write implements io.Writer.
func (l *errorLog) Write(text []byte) (int, error) {
	line := strings.TrimSuffix(string(text), "\n")
	if reason, ok := strings.CutPrefix(line, "http: Accept error: "); ok {
		l.acceptFailed(reason)
	} else if _, panicked, ok := strings.Cut(line, ": panic serving "); ok {
		// The client's address comes first. It is not logged.
		_, panicked, _ = strings.Cut(panicked, ": ")
		// The value may have several lines; runtime.Stack begins with this word.
		const goroutine = "goroutine "
		value, stack, _ := strings.Cut(panicked, "\n"+goroutine)
		l.log.Error("request panicked", "fault", fault.WithoutLocalParts(value), "stack", goroutine+stack)
	} else {
		l.log.Debug(fault.WithoutLocalParts(line))
	}
	return len(text), nil
}

// acceptFailed logs that the system refuses connections.
func (l *errorLog) acceptFailed(reason string) {
	reason, _, _ = strings.Cut(reason, "; retrying")
	l.throttle.inBackground(func(int64) {
		l.log.Warn("accept failed", "error", reason,
			"hint", "if too many files are open, raise LimitNOFILE= in the unit or lower limits.connections")
	})
}
