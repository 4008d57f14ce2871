// Package service runs Signpost: it loads the configuration, serves it, watches
// its files and replaces it while requests are being answered.
package service

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"signpost/internal/certfile"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/server"
	"signpost/internal/setup"
	"signpost/internal/signer"
	"signpost/internal/sources"
	"signpost/templates"
)

// Loaded is a configuration with the parts that are made from it.
type Loaded struct {
	File      string
	Config    *config.Config
	Directory *directory.Directory
	Resolver  *dns.Resolver
	Signer    *signer.Signer    // nil if profiles are not signed
	Sources   []*sources.Source // in the order of the file

	templates *templates.Set // of the set-up page; nil for the embedded ones
}

// FileError reports that the configuration file cannot be read, as opposed to
// faults in its text.
type FileError struct{ Err error }

func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Load loads the configuration from the file or, if file is empty, from the first
// default file that exists.
func Load(file string, log *slog.Logger) (*Loaded, error) {
	file, err := findConfig(file)
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	return build(file, cfg, nil, log)
}

// defaultFiles lists where the configuration is looked for.
var defaultFiles = []string{"signpost.yaml", "/etc/signpost/signpost.yaml"}

// ErrNoConfig says that no file was named and no default file exists.
var ErrNoConfig = errors.New("there is no configuration")

// findConfig returns file or, if it is empty, the first default file that exists.
func findConfig(file string) (string, error) {
	if file != "" {
		return file, nil
	}
	for _, file := range defaultFiles {
		if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, nil
		}
	}
	return "", fault.WithHint(
		fmt.Errorf("%w: neither %s here nor %s exists", ErrNoConfig, defaultFiles[0], defaultFiles[1]),
		"-config FILE names another file; the README has an example",
	)
}

// readConfig reads a configuration. Its error is a fault.List or a *FileError.
func readConfig(file string) (*config.Config, error) {
	cfg, err := config.Load(file)
	if _, ok := errors.AsType[fault.List](err); err != nil && !ok {
		return nil, &FileError{err}
	}
	return cfg, err
}

// build makes what the configuration asks for. It takes over from an earlier
// configuration the parts that would be the same, with what they have cached.
func build(file string, cfg *config.Config, earlier *Loaded, log *slog.Logger) (*Loaded, error) {
	l := &Loaded{File: file, Config: cfg}
	var err error
	if l.Resolver, err = newResolver(cfg.DNS, earlier); err != nil {
		return nil, err
	}
	l.openSources(earlier, log)
	if l.templates, err = loadTemplates(cfg.Branding.TemplateDir); err != nil {
		return nil, err
	}
	if l.Signer, err = newSigner(cfg.Profiles, earlier, log); err != nil {
		return nil, err
	}
	return l, nil
}

func newResolver(c config.DNS, earlier *Loaded) (*dns.Resolver, error) {
	if earlier != nil && slices.Equal(earlier.Config.DNS.Servers, c.Servers) &&
		earlier.Config.DNS.Timeout == c.Timeout {
		return earlier.Resolver, nil
	}
	resolver, err := dns.NewResolver(c.Servers, c.Timeout)
	if err != nil {
		return nil, fault.WithHint(err, "dns.servers in the configuration names the servers to ask")
	}
	return resolver, nil
}

// loadTemplates returns the templates of the set-up page, nil for the embedded ones. It
// finds faults in an operator's templates before the first person opens the page.
func loadTemplates(dir string) (*templates.Set, error) {
	if dir == "" {
		return nil, nil
	}
	set, err := setup.LoadTemplates(dir)
	if err != nil {
		return nil, fault.WithHint(err, "branding.templates in the configuration names their directory")
	}
	return set, nil
}

// newSigner returns the signer of profiles, nil if none is configured. It returns an
// error if the earlier configuration could sign and this one cannot, so that the reload
// fails and profiles stay signed.
func newSigner(p certfile.Pair, earlier *Loaded, log *slog.Logger) (*signer.Signer, error) {
	if earlier != nil && earlier.Config.Profiles == p {
		return earlier.Signer, nil
	}
	if p.Certificate == "" {
		return nil, nil
	}
	s := signer.New(p, log)
	if earlier != nil && earlier.Signer.CanSign() && !s.CanSign() {
		return nil, fmt.Errorf("profiles.certificate: %w", s.Check())
	}
	return s, nil
}

// files returns the files and directories that the configuration was made from, except
// for certificates and keys: the packages that use them watch them.
func (l *Loaded) files() []string {
	files := slices.Clone(l.Config.Files)
	overlay := l.Config.Branding.TemplateDir
	if overlay == "" {
		return files
	}
	for _, dir := range templates.Dirs {
		files = append(files, filepath.Join(overlay, dir))
	}
	return append(files, overlay)
}

// contents counts what the configuration holds.
func (l *Loaded) contents() server.Contents {
	c := server.Contents{Providers: len(l.Config.Providers)}
	for _, p := range l.Config.Providers {
		c.Domains += len(p.Domains)
	}
	for _, source := range l.Config.Accounts {
		c.Accounts += len(source.List)
	}
	return c
}
