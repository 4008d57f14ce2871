package certs

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// TestZap checks that certmagic's errors become warnings, that everything else
// and what "order failed" repeats is logged for debugging only, and that no
// e-mail address is logged.
func TestZap(t *testing.T) {
	scrub := strings.NewReplacer("anna.operator@hoster.se", "‹email›")
	for _, test := range []struct {
		name string
		log  func(*zap.Logger)
		want string // the line after its time, in a log without debugging; empty: none
	}{
		{"an error", func(z *zap.Logger) {
			z.Error("storing", zap.Error(errors.New("disk full")), zap.String("key", "a/b"))
		}, `level=WARN msg="certificate management" about=storing error="disk full" key=a/b`},
		{"fields of the logger", func(z *zap.Logger) { z.Named("x").With(zap.Int("n", 3)).Error("storing") },
			`level=WARN msg="certificate management" about=storing n=3`},
		{"e-mail address in an error", func(z *zap.Logger) {
			z.Error("registering", zap.Error(errors.New("account [mailto:anna.operator@hoster.se] refused")),
				zap.Strings("account_contact", []string{"mailto:anna.operator@hoster.se"}))
		}, `level=WARN msg="certificate management" about=registering error="account [mailto:‹email›] refused"`},
		{"information", func(z *zap.Logger) { z.Info("waiting", zap.String("account", "anna.operator@hoster.se")) }, ""},
		{"a warning", func(z *zap.Logger) { z.Warn("certificate is in emergency renewal window") }, ""},
		{"a repeated message", func(z *zap.Logger) { z.Error("could not get certificate from issuer") }, ""},
		{"a repeated renewal", func(z *zap.Logger) {
			z.Error("job failed", zap.Error(errors.New("[a.se] [a.se] Renew: refused")))
		}, ""},
	} {
		log := &testLog{}
		test.log(newZap(log.logger(), &sampler{}, scrub))
		_, line, _ := strings.Cut(strings.TrimSpace(log.String()), " ")
		if line != test.want {
			t.Errorf("%s: logged\n%s, want\n%s", test.name, line, test.want)
		}
		debug := &testLog{}
		handler := slog.NewTextHandler(debug, &slog.HandlerOptions{Level: slog.LevelDebug})
		test.log(newZap(slog.New(handler), &sampler{}, scrub))
		if text := debug.String(); text == "" || strings.Contains(text, "anna") {
			t.Errorf("%s: with debugging logged %q, want a line without the address", test.name, text)
		}
	}
}

func TestSampler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sampler{}
		for i := range linesPerMinute + 5 {
			leftOut, ok := s.admit()
			if ok != (i < linesPerMinute) || leftOut != 0 {
				t.Errorf("line %d: admit() = %d, %v; want 0, %v", i, leftOut, ok, i < linesPerMinute)
			}
		}
		for minute, want := range []int{5, 0} {
			time.Sleep(time.Minute)
			if leftOut, ok := s.admit(); !ok || leftOut != want {
				t.Errorf("%d minutes later: admit() = %d, %v; want %d, true", minute+1, leftOut, ok, want)
			}
		}
	})
}

func TestShorten(t *testing.T) {
	if got := shorten("short", 400); got != "short" {
		t.Errorf("shorten(short) = %q", got)
	}
	if got := shorten(strings.Repeat("ä", 1000), 401); got != strings.Repeat("ä", 200)+"…" {
		t.Errorf("shorten cuts to %q, want 200 letters and an ellipsis", got)
	}
}
