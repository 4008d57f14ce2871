package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"signpost/internal/fault"
	"signpost/internal/records"
	"signpost/internal/service"
	"signpost/internal/show"
)

const checkUsage = `[-config FILE] [-offline] [-json] [-strict]

Checks the configuration, the files that it names, and the account sources, each of
which it opens and asks. Prints what a sample address of each provider signs in with.
The exit status is 1 if anything is wrong.`

func check(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := configFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	offline := flags.Bool("offline", false, "open no account source and no database of certificates")
	strict := flags.Bool("strict", false, "end with status 1 if there are warnings, or clients that are set up wrongly")
	operands, err := parseFlags(e, flags, args, checkUsage)
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return usagef("-config FILE names the configuration", "check takes no operand %q", operands[0])
	}
	l, err := load("-config", *file)
	if err != nil {
		return err
	}
	warnings := warningsOf(l)
	for _, warning := range warnings {
		fmt.Fprintf(e.stderr, "signpost: warning: %s\n", warning)
	}
	if faults := l.CheckTLS(); len(faults) > 0 {
		return faults
	}
	defer l.CloseSources()
	var sources []service.SourceCheck
	wrong := false
	if !*offline {
		sources = l.CheckSources(ctx)
		wrong = printFindings(e, sources)
		warning, err := l.CheckStore(ctx)
		if err != nil {
			report(e.stderr, err)
			wrong = true
		}
		if warning != "" {
			fmt.Fprintf(e.stderr, "signpost: warning: %s\n", warning)
			warnings = append(warnings, warning)
		}
		for _, source := range sources {
			for _, warning := range source.Warnings {
				warnings = append(warnings, warning.Error())
			}
		}
	}
	missed := missedBy(ctx, l)
	if wrong && !*asJSON { // "is good" would be wrong
		return errFound
	}
	if err := writeChecked(e, l, checked{warnings, missed, sources}, *asJSON); err != nil {
		return err
	}
	if wrong {
		return errFound
	}
	isWrong := func(m missedClients) bool { return !m.chosen }
	misleads := func(s service.SourceCheck) bool { return len(s.Misled) > 0 }
	if *strict &&
		(len(warnings) > 0 || slices.ContainsFunc(missed, isWrong) || slices.ContainsFunc(sources, misleads)) {
		return errStrict
	}
	return nil
}

// missedClients says which clients a provider leaves out or sets up wrongly.
type missedClients struct {
	Provider string `json:"provider"`
	Text     string `json:"text"`
	chosen   bool   // by withoutAddress: nothing
}

// missedBy returns which clients each provider leaves out or sets up wrongly. A provider
// that only accounts name has no records and answers no client without an address.
func missedBy(ctx context.Context, l *service.Loaded) []missedClients {
	missed := []missedClients{}
	misled := l.Directory.Misled()
	for _, p := range l.Config.Providers {
		if !l.HasDomains(p) {
			continue
		}
		for _, sentence := range append(records.Missed(p.Provider), misled[p.ID]...) {
			missed = append(missed, missedClients{p.ID, sentence, p.NothingWithoutAddress})
		}
	}
	return missed
}

// errStrict is the failure of check -strict.
var errStrict = errors.New("there are warnings or clients that are set up wrongly, and -strict allows none")

// warningsOf returns what is probably not intended.
func warningsOf(l *service.Loaded) []string {
	warnings := []string{}
	for _, f := range slices.Concat(l.Warnings(), l.Unreadable(), l.Exposed(), l.RSAOnly()) {
		warnings = append(warnings, f.String())
	}
	if err := l.Signer.Check(); err != nil {
		effect := "profiles will not be signed"
		if l.Signer.CanSign() {
			effect = "profiles are signed, but devices may not trust the signature"
		}
		warnings = append(warnings, fmt.Sprintf("%s: %v", effect, err))
	}
	_, err := l.Config.Updates()
	faults, _ := errors.AsType[fault.List](err)
	for _, f := range faults {
		if !slices.Contains(warnings, f.String()) {
			warnings = append(warnings, f.String())
		}
	}
	return warnings
}

// printFindings prints what is wrong with account sources, and what may be, each with its
// cure. It reports whether anything is wrong.
func printFindings(e env, sources []service.SourceCheck) (wrong bool) {
	for _, source := range sources {
		for _, warning := range source.Warnings {
			fmt.Fprintf(e.stderr, "signpost: warning: %v\n", warning)
			if hint := fault.Hint(warning); hint != "" {
				fmt.Fprintf(e.stderr, "hint: %s\n", hint)
			}
		}
	}
	for _, source := range sources {
		for _, err := range source.Faults {
			report(e.stderr, err)
			wrong = true
		}
	}
	return wrong
}

// checked is what check found.
type checked struct {
	warnings []string
	missed   []missedClients
	sources  []service.SourceCheck
}

// checkedSource is what check says of an account source.
type checkedSource struct {
	Source  string         `json:"source"`
	Domains *int           `json:"domains,omitempty"` // nil if it lists none
	Faults  []checkedFault `json:"faults,omitempty"`
	Notes   []string       `json:"notes,omitempty"`
}

// checkedFault is what is wrong with an account source.
type checkedFault struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// writeChecked writes what the sample addresses sign in with, and who is left out.
func writeChecked(e env, l *service.Loaded, c checked, asJSON bool) error {
	logins := show.Logins(l.Config.Providers, l.Config.Sample)
	if asJSON {
		var sources []checkedSource
		for _, s := range c.sources {
			source := checkedSource{Source: s.Name, Notes: slices.Concat(s.Notes, s.Misled)}
			if s.Listing {
				source.Domains = &s.Domains
			}
			for _, err := range s.Faults {
				source.Faults = append(source.Faults, checkedFault{err.Error(), fault.Hint(err)})
			}
			sources = append(sources, source)
		}
		return writeJSON(e.stdout, struct {
			Logins   []show.Login    `json:"logins"`
			Warnings []string        `json:"warnings"`
			Missed   []missedClients `json:"missed"`
			Sources  []checkedSource `json:"sources,omitempty"`
		}{logins, c.warnings, c.missed, sources})
	}
	fmt.Fprintf(e.stdout, "%s is good. This is what an address signs in with:\n\n", l.File)
	if err := show.WriteLogins(e.stdout, logins); err != nil {
		return err
	}
	for i, s := range c.sources {
		if i == 0 {
			fmt.Fprintln(e.stdout)
		}
		text := "answers"
		if s.Listing {
			text = fmt.Sprintf("answers, and %s hosted here because of it", domains(s.Domains))
		}
		fmt.Fprintf(e.stdout, "account source %s %s\n", s.Name, text)
		for _, note := range slices.Concat(s.Notes, s.Misled) {
			fmt.Fprintf(e.stdout, "  %s\n", note)
		}
	}
	for _, m := range c.missed {
		fmt.Fprintf(e.stdout, "\n%s: %s\n", m.Provider, m.Text)
	}
	return nil
}

// domains returns a number of domains with its verb.
func domains(n int) string {
	switch n {
	case 0:
		return "no domain is"
	case 1:
		return "one domain is"
	}
	return fmt.Sprintf("%d domains are", n)
}
