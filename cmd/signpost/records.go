package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/records"
	"signpost/internal/service"
)

const recordsUsage = `[-config FILE] [-format zone|json|nsupdate|octodns] [-was FILE] DOMAIN…|-all
       signpost records [-config FILE] -compare [-resolver ADDRESS] [-at-once N] [-format json] DOMAIN…|-all
       signpost records [-config FILE] -publish|-remove [-yes] [-replace] [-at-once N] DOMAIN…|-all

Prints what domains should have in DNS so that clients find the service, with
the reason for each record; compares it with what DNS has; or publishes it by
dynamic update to the primaries that the configuration names.`

// recordsFlags holds the flags of the command.
type recordsFlags struct {
	config, format, was, resolver *string
	all, compare, publish, remove *bool
	yes, replace                  *bool
	atOnce                        *int
	domains                       []string
}

func recordsCommand(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("records", flag.ContinueOnError)
	f := recordsFlags{
		config:   configFlag(flags),
		format:   flags.String("format", "zone", "print as `FORMAT`: zone, json, nsupdate or octodns"),
		was:      flags.String("was", "", "during a change: also print the PACC digest of the old configuration `FILE`, so that both are valid"),
		resolver: flags.String("resolver", "", "compare with what the name server at `ADDRESS` answers, not with the domain's own name servers"),
		all:      flags.Bool("all", false, "all domains that the configuration names"),
		compare:  flags.Bool("compare", false, "compare with what DNS has; exit status 1 if something is wrong"),
		publish:  flags.Bool("publish", false, "show what has to change at the primary, and change it"),
		remove:   flags.Bool("remove", false, "remove what was published for a domain that leaves"),
		yes:      flags.Bool("yes", false, "do not ask before changing anything"),
		replace:  flags.Bool("replace", false, "overwrite records that Signpost did not write"),
		atOnce:   flags.Int("at-once", 32, "compare, or plan to publish, `N` domains at a time"),
	}
	var err error
	if f.domains, err = parseFlags(e, flags, args, recordsUsage); err != nil {
		return err
	}
	if err := f.check(flags); err != nil {
		return err
	}
	l, err := load("-config", *f.config)
	if err != nil {
		return err
	}
	desired, err := desiredRecords(l, f)
	if err != nil {
		return err
	}
	switch {
	case *f.compare:
		return compareRecords(ctx, e, l, f, desired)
	case *f.publish || *f.remove:
		return publishRecords(ctx, e, l, f, desired)
	}
	return printRecords(ctx, e, l, f, desired)
}

// action returns the flag that says what to do, or "printing".
func (f *recordsFlags) action() string {
	switch {
	case *f.compare:
		return "-compare"
	case *f.publish:
		return "-publish"
	case *f.remove:
		return "-remove"
	}
	return "printing"
}

// recordsFlagUse lists the actions that a flag goes with, if not with all.
var recordsFlagUse = map[string][]string{
	"format":   {"printing", "-compare"},
	"was":      {"printing", "-compare", "-publish"},
	"resolver": {"-compare"},
	"at-once":  {"-compare", "-publish", "-remove"},
	"yes":      {"-publish", "-remove"},
	"replace":  {"-publish", "-remove"},
}

// check refuses flags that do not go together.
func (f *recordsFlags) check(flags *flag.FlagSet) error {
	wrong := func(format string, args ...any) error {
		return usagef("signpost records -h explains the command", format, args...)
	}
	actions := 0
	for _, flag := range []*bool{f.compare, f.publish, f.remove} {
		if *flag {
			actions++
		}
	}
	switch {
	case actions > 1:
		return wrong("-compare, -publish and -remove exclude one another")
	case *f.all == (len(f.domains) > 0):
		return wrong("records takes domains, or -all")
	case *f.remove && *f.all:
		return wrong("-remove takes the domains that leave, by name")
	case *f.atOnce < 1 || *f.atOnce > dns.MaxConcurrent:
		return wrong("-at-once takes a number from 1 to %d", dns.MaxConcurrent)
	case *f.compare && *f.format != "zone" && *f.format != "json":
		return wrong("-compare prints text or -format json")
	}
	var err error
	flags.Visit(func(flag *flag.Flag) {
		if use := recordsFlagUse[flag.Name]; use != nil && !slices.Contains(use, f.action()) {
			err = wrong("-%s goes with %s only", flag.Name, strings.Join(use, " or "))
		}
	})
	if err != nil {
		return err
	}
	for i, domain := range f.domains {
		if f.domains[i], err = account.ParseDomain(domain); err != nil {
			return wrong("%q is %w", domain, err)
		}
	}
	slices.Sort(f.domains)
	f.domains = slices.Compact(f.domains)
	return nil
}

// domainsOf returns the domains that the command line means.
func (f *recordsFlags) domainsOf(l *service.Loaded) iter.Seq[string] {
	if !*f.all {
		return slices.Values(f.domains)
	}
	return func(yield func(string) bool) {
		for _, p := range l.Config.Providers {
			for _, domain := range p.Domains {
				if domain != "*" && !yield(domain) {
					return
				}
			}
		}
	}
}

// desiredFunc returns what a domain should have.
type desiredFunc func(ctx context.Context, domain string) (records.Domain, error)

// desiredRecords returns a function that knows what domains should have.
func desiredRecords(l *service.Loaded, f recordsFlags) (desiredFunc, error) {
	if *f.remove {
		return func(_ context.Context, domain string) (records.Domain, error) { return records.Empty(domain), nil }, nil
	}
	if l.Config.Name == "" && len(l.Config.DNS.Addresses) == 0 {
		return nil, fault.WithHint(
			fmt.Errorf("%s says neither the service's own name nor its addresses, so there is nothing that records could point to", l.File),
			"write name: or dns: {addresses: […]}",
		)
	}
	o := records.Options{
		Name:      l.Config.Name,
		Addresses: l.Config.DNS.Addresses,
		TTL:       uint32(l.Config.DNS.TTL.Seconds()),
		Directory: l.Directory,
	}
	if *f.was != "" {
		before, err := load("-was", *f.was)
		if err != nil {
			return nil, err
		}
		o.Before = before.Directory
	}
	generator := records.New(o)
	return func(ctx context.Context, domain string) (records.Domain, error) {
		d, err := generator.Domain(ctx, domain)
		if account.IsUnknown(err) {
			err = notHosted(l, domain)
		}
		return d, err
	}, nil
}

// printRecords prints what the domains should have. The error names the domains
// for which that is not known.
func printRecords(ctx context.Context, e env, l *service.Loaded, f recordsFlags, desired desiredFunc) error {
	out := bufio.NewWriter(e.stdout)
	writer, err := records.NewWriter(out, *f.format)
	if err != nil {
		return usagef("-format is one of zone, json, nsupdate, octodns", "%w", err)
	}
	var failures failures
	for name := range f.domainsOf(l) {
		domain, err := desired(ctx, name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failures.add(err)
			continue
		}
		if err := writer.Write(domain); err != nil {
			return err
		}
	}
	if err := errors.Join(writer.Close(), out.Flush()); err != nil {
		return err
	}
	return failures.err()
}

// compareRecords prints what is wrong, domain by domain, and a summary.
func compareRecords(ctx context.Context, e env, l *service.Loaded, f recordsFlags, desired desiredFunc) error {
	comparer := records.NewComparer(l.Resolver)
	if *f.resolver != "" {
		resolver, err := dns.NewResolver([]string{*f.resolver}, l.Config.DNS.Timeout)
		if err != nil {
			return usagef("-resolver takes an IP address, with or without a port", "%w", err)
		}
		comparer = records.NewViewComparer(resolver)
	}
	type result struct {
		records.Comparison
		err error // what the domain should have is not known
	}
	results := records.Parallel(ctx, f.domainsOf(l), *f.atOnce, func(ctx context.Context, name string) result {
		domain, err := desired(ctx, name)
		if err != nil {
			return result{err: err}
		}
		return result{Comparison: comparer.Compare(ctx, domain)}
	})
	var summary records.Summary
	var failures failures
	out := json.NewEncoder(e.stdout)
	out.SetEscapeHTML(false)
	for r := range results {
		if r.err != nil {
			failures.add(r.err)
			continue
		}
		summary.Add(r.Comparison)
		showProgress(e, summary)
		if *f.format != "json" {
			fmt.Fprint(e.stdout, r.Comparison)
		} else if err := out.Encode(r.Comparison); err != nil {
			return err
		}
	}
	endProgress(e)
	fmt.Fprintf(e.stderr, "signpost: %s\n", summary)
	if err := failures.err(); err != nil {
		return err
	}
	if summary.Wrong > 0 || summary.Failed > 0 {
		return errFound
	}
	return nil
}

// showProgress counts domains in one line of a terminal.
func showProgress(e env, summary records.Summary) {
	if isTerminal(e.stderr) {
		fmt.Fprintf(e.stderr, "\r%d domains compared, %d with faults", summary.Domains, summary.Wrong)
	}
}

func endProgress(e env) {
	if isTerminal(e.stderr) {
		fmt.Fprint(e.stderr, "\r\033[K")
	}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// maxFailures is how many failures of a command are printed.
const maxFailures = 1000

// failures collects the errors of many domains.
type failures struct {
	errs []error
	more int
}

func (f *failures) add(err error) {
	if len(f.errs) == maxFailures {
		f.more++
		return
	}
	f.errs = append(f.errs, err)
}

// err returns one error for all, or nil.
func (f *failures) err() error {
	if f.more > 0 {
		return errors.Join(append(f.errs, fmt.Errorf("%d more domains failed", f.more))...)
	}
	return errors.Join(f.errs...)
}
