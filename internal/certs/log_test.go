package certs

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// TestBridge: certmagic's errors become warnings, what it repeats and what it
// merely tells is for debugging, and no e-mail address passes.
func TestBridge(t *testing.T) {
	scrub := strings.NewReplacer("anna.operator@hoster.se", "‹email›")
	for _, test := range []struct {
		say  func(*zap.Logger)
		want string // the line from its level on, in a log without debugging; empty: none
	}{
		{func(z *zap.Logger) { z.Error("storing", zap.Error(errors.New("disk full")), zap.String("key", "a/b")) },
			`level=WARN msg="certificate management" about=storing error="disk full" key=a/b`},
		{func(z *zap.Logger) { z.Named("x").With(zap.Int("n", 3)).Error("storing") },
			`level=WARN msg="certificate management" about=storing n=3`},
		{func(z *zap.Logger) {
			z.Error("registering", zap.Error(errors.New("account [mailto:anna.operator@hoster.se] refused")), zap.Strings("account_contact", []string{"mailto:anna.operator@hoster.se"}))
		}, `level=WARN msg="certificate management" about=registering error="account [mailto:‹email›] refused"`},
		{func(z *zap.Logger) { z.Info("waiting", zap.String("account", "anna.operator@hoster.se")) }, ""},
		{func(z *zap.Logger) { z.Warn("certificate is in emergency renewal window") }, ""},
		{func(z *zap.Logger) { z.Error("could not get certificate from issuer") }, ""},
		{func(z *zap.Logger) { z.Error("job failed", zap.Error(errors.New("[a.se] [a.se] Renew: refused"))) }, ""},
	} {
		out := &logged{}
		quiet := newZap(slog.New(slog.NewTextHandler(out, nil)), &sampler{now: newFakeClock().now}, scrub)
		test.say(quiet)
		_, line, _ := strings.Cut(strings.TrimSpace(out.String()), " ")
		if line != test.want {
			t.Errorf("got  %s\nwant %s", line, test.want)
		}
		out = &logged{}
		all := newZap(slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), &sampler{now: newFakeClock().now}, scrub)
		test.say(all)
		if out.String() == "" || strings.Contains(out.String(), "anna") {
			t.Errorf("for debugging: %q", out.String())
		}
	}
}

func TestShort(t *testing.T) {
	if got := short(strings.Repeat("x", 1000)); len(got) > 410 {
		t.Errorf("%d octets", len(got))
	}
}
