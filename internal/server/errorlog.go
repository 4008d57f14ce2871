package server

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// errorLog takes what net/http has to say. Most of it is about clients that hang
// up or send what is no TLS, which is nobody's business but a developer's.
type errorLog struct {
	log *slog.Logger

	mu   sync.Mutex
	told time.Time // that there are no connections to be had
}

// Write implements io.Writer.
func (l *errorLog) Write(text []byte) (int, error) {
	line := strings.TrimSuffix(string(text), "\n")
	if reason, ok := strings.CutPrefix(line, "http: Accept error: "); ok {
		l.noConnections(reason)
	} else if _, panicked, ok := strings.Cut(line, ": panic serving "); ok {
		// The client's address comes first.
		_, panicked, _ = strings.Cut(panicked, ": ")
		fault, stack, _ := strings.Cut(panicked, "\n")
		l.log.Error("a request panicked", "fault", fault, "stack", stack)
	} else {
		l.log.Debug(line)
	}
	return len(text), nil
}

// noConnections says once a second that the system gives none.
func (l *errorLog) noConnections(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.told) >= time.Second {
		l.told = now
		reason, _, _ = strings.Cut(reason, "; retrying")
		l.log.Warn("connections cannot be taken", "error", reason, "hint", "where too many files are open, LimitNOFILE= in the unit allows more, and limits.connections fewer connections")
	}
}
