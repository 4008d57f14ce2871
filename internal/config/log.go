package config

import "log/slog"

// Log says what is written to standard error, and how.
type Log struct {
	JSON     bool
	Level    slog.Level
	Requests int // how many requests per second get a line; 0 for none
}

const defaultLogged = 500

var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

var logKeys = keys[Log]{
	"format": func(l *Log, v *value) { l.JSON = choice(v, "text or json", []string{"text", "json"}) == "json" },
	"level": func(l *Log, v *value) {
		l.Level = logLevels[choice(v, "a log level", []string{"debug", "info", "warn", "error"})]
	},
	"requests": func(l *Log, v *value) { l.Requests = v.number(0, 1_000_000) },
}
