package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"

	"signpost/config"
	"signpost/directory"
	"signpost/mobileconfig"
	"signpost/records"
	"signpost/server"
)

// defaultFiles are where the configuration is looked for without -config.
var defaultFiles = []string{"signpost.yaml", "/etc/signpost/signpost.yaml"}

func configFlag(flags *flag.FlagSet) *string {
	return flags.String("config", "", "read the configuration from `FILE` (default signpost.yaml here, then /etc/signpost/signpost.yaml)")
}

// service is a loaded configuration and what is made of it.
type service struct {
	file      string
	config    *config.Config
	directory *directory.Directory
	signer    *mobileconfig.Signer // nil where profiles stay unsigned
}

func load(file string, log *slog.Logger) (*service, error) {
	file, err := findConfig(file)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(file)
	var faults config.Faults
	if errors.As(err, &faults) {
		return nil, faults // each says its own cure
	} else if err != nil {
		return nil, &hintError{err, "-config FILE names another file"}
	}
	resolver, err := records.NewResolver(cfg.DNS.Servers, cfg.DNS.Timeout)
	if err != nil {
		return nil, err
	}
	s := &service{file: file, config: cfg}
	s.directory = directory.New(cfg.Providers, cfg.Accounts, resolver.LookupMX)
	if cfg.Profiles.Certificate != "" {
		s.signer = mobileconfig.NewSigner(cfg.Profiles.Certificate, cfg.Profiles.Key, log)
	}
	return s, nil
}

// findConfig is the file, or the first default file that exists.
func findConfig(file string) (string, error) {
	if file != "" {
		return file, nil
	}
	for _, file := range defaultFiles {
		if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, nil
		}
	}
	return "", &hintError{
		fmt.Errorf("there is no configuration: neither %s here nor %s exists", defaultFiles[0], defaultFiles[1]),
		"-config FILE names another; the README has one to start from",
	}
}

func (s *service) handler(log *slog.Logger) http.Handler {
	return server.Handler(server.Options{
		Resolve: s.directory.Resolve,
		Name:    s.config.Name,
		Signer:  s.signer,
		Log:     log,
	})
}

func (s *service) printWarnings(stderr io.Writer) {
	for _, warning := range s.config.Warnings {
		fmt.Fprintf(stderr, "signpost: warning: %s\n", warning)
	}
}
