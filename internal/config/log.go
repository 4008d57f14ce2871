package config

import "log/slog"

// Log is what is written to standard error, and how.
type Log struct {
	JSON  bool
	Level slog.Level
	// Requests is how many requests a second get a line; 0 for none.
	Requests int
}

const defaultLogged = 500

var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

var logKeys = keys[Log]{
	"format": func(l *Log, v *value) {
		format, _ := choice(v, "text or json", []string{"text", "json"})
		l.JSON = format == "json"
	},
	"level": func(l *Log, v *value) {
		level, _ := choice(v, "a level of the log", []string{"debug", "info", "warn", "error"})
		l.Level = logLevels[level]
	},
	"requests": func(l *Log, v *value) { l.Requests, _ = v.number(0, 1_000_000) },
}

func readLog(l *loader, v *value) { logKeys.read(v, &l.Log) }
