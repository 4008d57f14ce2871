package server_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/server"
	"signpost/internal/systems"
)

// newHandler returns the whole service as it runs, with all example systems together,
// as one hoster would have them.
func newHandler(t testing.TB, log io.Writer) http.Handler { return server.Handler(newOptions(t, log)) }

func newOptions(t testing.TB, log io.Writer) server.Options {
	t.Helper()
	var providers []directory.Provider
	var sources []directory.List
	for _, system := range systems.All(t) {
		providers = append(providers, system.Config.Providers...)
		sources = append(sources, system.Config.Lists()...)
	}
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	return optionsFor(directory.New(providers, sources, noMX), log)
}

func optionsFor(d *directory.Directory, log io.Writer) server.Options {
	return server.Options{
		Resolve: d.Resolve,
		Name:    "setup.mamutmail.com",
		Log:     textLog(log),
		Logged:  500,
		Limiter: server.NewLimiter(),
		Rate:    server.RateOf(1_000_000, 1_000_000),
	}
}
