package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/records"
	"signpost/internal/server"
	"signpost/internal/setup"
	"signpost/mobileconfig"
	"signpost/templates"
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
	resolver  *records.Resolver
	signer    *mobileconfig.Signer // nil where profiles stay unsigned
	branding  setup.Branding
	templates *templates.Set // of the set-up page; nil: the embedded ones
}

// load finds and loads a configuration.
func load(file string, log *slog.Logger) (*service, error) {
	file, err := findConfig(file)
	if err != nil {
		return nil, err
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return nil, err
	}
	return newService(file, cfg, nil, log)
}

// newService makes what the configuration asks for. What an earlier service has
// that would be the same, with what it remembers, is taken over from it.
func newService(file string, cfg *config.Config, earlier *service, log *slog.Logger) (*service, error) {
	s := &service{file: file, config: cfg}
	if earlier != nil && slices.Equal(earlier.config.DNS.Servers, cfg.DNS.Servers) && earlier.config.DNS.Timeout == cfg.DNS.Timeout {
		s.resolver = earlier.resolver
	} else {
		var err error
		if s.resolver, err = records.NewResolver(cfg.DNS.Servers, cfg.DNS.Timeout); err != nil {
			return nil, &hintError{err, "dns.servers in the configuration names the servers to ask"}
		}
	}
	var err error
	if s.branding, s.templates, err = loadPage(cfg.Branding); err != nil {
		return nil, err
	}
	s.directory = directory.New(cfg.Providers, cfg.Accounts, s.resolver.LookupMX)
	if earlier != nil && earlier.config.Profiles == cfg.Profiles {
		s.signer = earlier.signer
	} else if cfg.Profiles.Certificate != "" {
		s.signer = mobileconfig.NewSigner(cfg.Profiles.Certificate, cfg.Profiles.Key, log)
		if earlier != nil && earlier.signer.Signs() && !s.signer.Signs() {
			// Better the old signature than none.
			return nil, fmt.Errorf("profiles.certificate: %w", s.signer.Check())
		}
	}
	return s, nil
}

// files are those that the service was made from.
func (s *service) files() []string {
	files := slices.Clone(s.config.Files)
	folder := s.config.Branding.Templates
	if folder != "" {
		for _, below := range templates.Folders {
			files = append(files, filepath.Join(folder, below))
		}
	}
	for _, file := range []string{s.config.Profiles.Certificate, s.config.Profiles.Key, folder} {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
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

// options is how the configuration wants to be served.
func (s *service) options(log *slog.Logger) server.Options {
	return server.Options{
		Resolve:   s.directory.Resolve,
		Name:      s.config.Name,
		Signer:    s.signer,
		Branding:  s.branding,
		Templates: s.templates,
		Proxies:   server.Proxies{Trusted: s.config.Proxies.Trusted, Forwarded: s.config.Proxies.Forwarded},
		Rate:      server.RateOf(s.config.Limits.Requests, s.config.Limits.Burst),
		Log:       log,
		Logged:    s.config.Log.Requests,
	}
}

func (s *service) printWarnings(stderr io.Writer) {
	for _, warning := range s.config.Warnings {
		fmt.Fprintf(stderr, "signpost: warning: %s\n", warning)
	}
	if s.templates == nil {
		return
	}
	for _, warning := range s.templates.Warnings {
		fmt.Fprintf(stderr, "signpost: warning: %s\n", warning)
	}
}
