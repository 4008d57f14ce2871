package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"signpost/internal/fault"
	"signpost/internal/records"
	"signpost/internal/show"
)

const checkUsage = `[-config FILE] [-json]

Checks the configuration and the files that it names, and prints what a sample address
of each provider signs in with. The exit status is 1 if anything is wrong.`

func check(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := configFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
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
	for _, warning := range l.Warnings() {
		fmt.Fprintf(e.stderr, "signpost: warning: %s\n", warning)
	}
	if err := l.Signer.Check(); err != nil {
		effect := "profiles will not be signed"
		if l.Signer.CanSign() {
			effect = "profiles are signed, but devices may not trust the signature"
		}
		fmt.Fprintf(e.stderr, "signpost: warning: %s: %v\n", effect, err)
	}
	_, err = l.Config.Updates()
	faults, _ := errors.AsType[fault.List](err)
	for _, f := range faults {
		if !slices.Contains(l.Config.Warnings, f) {
			fmt.Fprintf(e.stderr, "signpost: warning: %s\n", f)
		}
	}
	if faults := l.CheckTLS(); len(faults) > 0 {
		return faults
	}
	logins := show.Logins(l.Config.Providers, l.Config.Sample)
	if *asJSON {
		return writeJSON(e.stdout, logins)
	}
	fmt.Fprintf(e.stdout, "%s is good. This is what an address signs in with:\n\n", l.File)
	if err := show.WriteLogins(e.stdout, logins); err != nil {
		return err
	}
	for _, p := range l.Config.Providers {
		for _, sentence := range records.Missed(p.Provider) {
			fmt.Fprintf(e.stdout, "\n%s: %s\n", p.ID, sentence)
		}
	}
	return nil
}
