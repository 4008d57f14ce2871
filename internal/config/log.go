package config

import "log/slog"

// Log says what is written to standard error, and how.
type Log struct {
	JSON     bool
	Level    slog.Level
	Requests int // how many requests per second get a line; 0 for none
}

const defaultLogged = 500

var logKeys = keys[Log]{
	"format": func(l *Log, v *value) { l.JSON = v.either("text", "json") == "json" },
	"level": func(l *Log, v *value) {
		level := choice(v, "a log level", []string{"debug", "info", "warn", "error"})
		l.Level.UnmarshalText([]byte(level)) // which refuses "", after a fault
	},
	"requests": func(l *Log, v *value) { l.Requests = v.number(0, 1_000_000) },
}
