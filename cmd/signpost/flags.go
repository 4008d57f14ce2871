package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"signpost/account"
	"signpost/internal/fault"
	"signpost/internal/regular"
	"signpost/internal/service"
)

// parseFlags parses flags before, between and after the operands, and returns the
// operands.
func parseFlags(e env, flags *flag.FlagSet, args []string, usage string) ([]string, error) {
	flags.SetOutput(io.Discard)
	var operands []string
	for {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(e.stdout, "Usage: signpost %s %s\n\n", flags.Name(), usage)
			flags.SetOutput(e.stdout)
			flags.PrintDefaults()
			return nil, err
		} else if err != nil {
			return nil, usagef("signpost "+flags.Name()+" -h explains the command", "%w", err)
		}
		if flags.NArg() == 0 {
			return operands, nil
		}
		operands = append(operands, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func configFlag(flags *flag.FlagSet) *string {
	return flags.String("config", "",
		"read the configuration from `FILE` (default signpost.yaml in this directory,\n"+
			"then /etc/signpost/signpost.yaml)")
}

// load loads the configuration from the file that the named flag gives.
func load(name, file string) (*service.Loaded, error) {
	l, err := service.Load(file, slog.New(slog.DiscardHandler))
	return l, withFlagHint(err, name)
}

// readSources reads the domains of the account sources, and warns of those that cannot be
// read. The caller must call the function that it returns.
func readSources(ctx context.Context, e env, l *service.Loaded) (done func()) {
	for _, err := range l.ReadSources(ctx) {
		fmt.Fprintf(e.stderr, "signpost: warning: %v\n", err)
	}
	return l.CloseSources
}

// withFlagHint adds a hint to the error about a configuration that cannot be read:
// the named flag chooses the file.
func withFlagHint(err error, name string) error {
	if errors.Is(err, regular.ErrNotRegular) {
		return fault.WithHint(err, "write it to a file of mode 0600, and name that file: "+name+" FILE")
	}
	if _, ok := errors.AsType[*service.FileError](err); ok {
		return fault.WithHint(err, name+" FILE names another file")
	}
	return err
}

// notHosted returns the error for an operator about a domain that is not hosted here. err
// is that of the directory, which knows more if an account source has the domain.
func notHosted(l *service.Loaded, domain string, err error) error {
	if _, reason, ok := strings.Cut(err.Error(), account.ErrUnknownDomain.Error()+": "); ok {
		return fault.WithHint(fmt.Errorf("%s is not hosted here: %s", domain, reason),
			"every client is told that the address is unknown, until the account source says otherwise")
	}
	if len(l.Sources) > 0 {
		return fault.WithHint(
			fmt.Errorf("%s is not hosted here: no provider of %s and no account source has it, "+
				"and its MX record leads to none",
				domain, l.File),
			"every client is told that the address is unknown; add the domain to a provider or to an account source",
		)
	}
	return fault.WithHint(
		fmt.Errorf("%s is not hosted here: no provider of %s has it among its domains, and its MX record leads to none",
			domain, l.File),
		"every client is told that the address is unknown; add the domain to a provider",
	)
}

// writeJSON writes v for machines, and for people who look at it.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
