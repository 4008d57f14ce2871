package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/server"
)

// systems are the example configurations, which are also the README's.
var systems = []string{"mamut", "own-domain", "websupport", "office365", "onecom", "small"}

// loadFiles loads configurations together, as one hoster with all of them
// would have it.
func loadFiles(files ...string) (*directory.Directory, error) {
	var providers []directory.Provider
	var sources []directory.Source
	for _, file := range files {
		cfg, err := config.Load(file)
		if err != nil {
			return nil, err
		}
		providers = append(providers, cfg.Providers...)
		sources = append(sources, cfg.Accounts...)
	}
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	return directory.New(providers, sources, noMX), nil
}

// newHandler is the whole service as it runs, with the example systems or
// another configuration.
func newHandler(log io.Writer, files ...string) (http.Handler, error) {
	o, err := newOptions(log, files...)
	if err != nil {
		return nil, err
	}
	return server.Handler(o), nil
}

func newOptions(log io.Writer, files ...string) (server.Options, error) {
	if len(files) == 0 {
		for _, name := range systems {
			files = append(files, filepath.Join("..", "..", "testdata", "config", name+".yaml"))
		}
	}
	d, err := loadFiles(files...)
	if err != nil {
		return server.Options{}, err
	}
	return server.Options{
		Resolve: d.Resolve,
		Name:    "setup.mamutmail.com",
		Log:     slog.New(slog.NewTextHandler(log, nil)),
		Logged:  500,
		Limiter: server.NewLimiter(),
		Rate:    server.RateOf(1_000_000, 1_000_000),
	}, nil
}

// benchHandler writes its log to a file that takes everything, as a service
// manager's pipe does.
func benchHandler(file string) http.Handler {
	var files []string
	if file != "" {
		files = append(files, file)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	handler, err := newHandler(null, files...)
	if err != nil {
		panic(err)
	}
	return handler
}
