package main

import (
	"cmp"
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

// recordsRun is one run of the command.
type recordsRun struct {
	env
	format, was, resolver         string
	all, compare, publish, remove bool
	yes, replace                  bool
	atOnce                        int
	domains                       []string

	loaded *service.Loaded
	// desired returns what a domain should have.
	desired  func(ctx context.Context, domain string) (records.Domain, error)
	failures []error // of single domains, printed at the end
}

func recordsCommand(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("records", flag.ContinueOnError)
	r := recordsRun{env: e}
	config := configFlag(flags)
	flags.StringVar(&r.format, "format", "zone", "print as `FORMAT`: zone, json, nsupdate or octodns")
	flags.StringVar(&r.was, "was", "",
		"during a change: also print the PACC digest of the old configuration `FILE`, so that both are valid")
	flags.StringVar(&r.resolver, "resolver", "",
		"compare with what the name server at `ADDRESS` answers, not with the domain's own name servers")
	flags.BoolVar(&r.all, "all", false, "all domains that the configuration names")
	flags.BoolVar(&r.compare, "compare", false, "compare with what DNS has; exit status 1 if something is wrong")
	flags.BoolVar(&r.publish, "publish", false, "show what has to change at the primary, and change it")
	flags.BoolVar(&r.remove, "remove", false, "remove what was published for a domain that leaves")
	flags.BoolVar(&r.yes, "yes", false, "do not ask before changing anything")
	flags.BoolVar(&r.replace, "replace", false, "overwrite records that Signpost did not write")
	flags.IntVar(&r.atOnce, "at-once", 32, "compare, or plan to publish, `N` domains at a time")
	var err error
	if r.domains, err = parseFlags(e, flags, args, recordsUsage); err != nil {
		return err
	}
	if err := r.checkFlags(flags); err != nil {
		return usageError{fault.WithHint(err, "signpost records -h explains the command")}
	}
	if r.loaded, err = load("-config", *config); err != nil {
		return err
	}
	defer readSources(ctx, e, r.loaded)()
	if err := r.setDesired(); err != nil {
		return err
	}
	switch {
	case r.compare:
		return r.compareRecords(ctx)
	case r.publish || r.remove:
		return r.publishRecords(ctx)
	}
	return r.printRecords(ctx)
}

// recordsFlagUse holds the actions that a flag goes with, if not with all.
var recordsFlagUse = map[string]string{
	"format":   "printing and -compare",
	"was":      "printing, -compare and -publish",
	"resolver": "-compare",
	"at-once":  "-compare, -publish and -remove",
	"yes":      "-publish and -remove",
	"replace":  "-publish and -remove",
}

// checkFlags refuses flags that do not go together, and parses the domains.
func (r *recordsRun) checkFlags(flags *flag.FlagSet) error {
	var actions []string
	var err error
	flags.Visit(func(f *flag.Flag) {
		if f.Value.String() == "true" && slices.Contains([]string{"compare", "publish", "remove"}, f.Name) {
			actions = append(actions, "-"+f.Name)
		}
	})
	switch {
	case len(actions) > 1:
		return errors.New("-compare, -publish and -remove exclude one another")
	case len(actions) == 0:
		actions = []string{"printing"}
	}
	flags.Visit(func(f *flag.Flag) {
		if use := recordsFlagUse[f.Name]; use != "" && !strings.Contains(use, actions[0]) {
			err = fmt.Errorf("-%s goes only with %s", f.Name, use)
		}
	})
	switch {
	case err != nil:
		return err
	case r.all == (len(r.domains) > 0):
		return errors.New("records takes domains, or -all")
	case r.remove && r.all:
		return errors.New("-remove takes the domains that leave, by name")
	case r.atOnce < 1 || r.atOnce > dns.MaxConcurrent:
		return fmt.Errorf("-at-once takes a number from 1 to %d", dns.MaxConcurrent)
	case r.compare && r.format != "zone" && r.format != "json":
		return errors.New("-compare prints text or -format json")
	}
	for i, domain := range r.domains {
		if r.domains[i], err = account.ParseDomain(domain); err != nil {
			return fmt.Errorf("%q is %w", domain, err)
		}
	}
	slices.Sort(r.domains)
	r.domains = slices.Compact(r.domains)
	return nil
}

// names returns the domains that the command line means.
func (r *recordsRun) names() iter.Seq[string] {
	if !r.all {
		return slices.Values(r.domains)
	}
	hosted, err := r.loaded.Directory.Hosted()
	if err != nil {
		r.failures = append(r.failures, err) // the others have their turn
	}
	return hosted
}

// setDesired sets the function that knows what domains should have.
func (r *recordsRun) setDesired() error {
	if r.remove {
		r.desired = func(_ context.Context, domain string) (records.Domain, error) { return records.Empty(domain), nil }
		return nil
	}
	if !r.loaded.SaysWhere() {
		return fault.WithHint(
			fmt.Errorf("%s says neither the service's own name nor its addresses, "+
				"so there is nothing that records could point to",
				r.loaded.File),
			"write name: or dns: {addresses: […]}",
		)
	}
	o := r.loaded.RecordOptions()
	if r.was != "" {
		before, err := load("-was", r.was)
		if err != nil {
			return err
		}
		o.Before = before.Directory
	}
	generator := records.New(o)
	r.desired = func(ctx context.Context, domain string) (records.Domain, error) {
		d, err := generator.Domain(ctx, domain)
		if account.IsUnknown(err) {
			err = notHosted(r.loaded, domain, err)
		}
		return d, err
	}
	return nil
}

// eachDomain works for many domains at a time and yields the results in order. The
// errors of single domains go to the failures of the run.
func eachDomain[T any](
	ctx context.Context, r *recordsRun, work func(context.Context, records.Domain) (T, error),
) iter.Seq[T] {
	type result struct {
		value T
		err   error
	}
	results := records.Parallel(ctx, r.names(), r.atOnce, func(ctx context.Context, name string) (one result) {
		domain, err := r.desired(ctx, name)
		if err != nil {
			return result{err: err}
		}
		one.value, one.err = work(ctx, domain)
		return one
	})
	return func(yield func(T) bool) {
		for one := range results {
			if one.err != nil {
				r.failures = append(r.failures, one.err)
			} else if !yield(one.value) {
				return
			}
		}
	}
}

// printRecords prints what the domains should have. The error names the domains
// for which that is not known.
func (r *recordsRun) printRecords(ctx context.Context) error {
	writer, err := records.NewWriter(r.stdout, r.format)
	if err != nil {
		return usagef("-format is one of zone, json, nsupdate, octodns", "%w", err)
	}
	same := func(_ context.Context, d records.Domain) (records.Domain, error) { return d, nil }
	for domain := range eachDomain(ctx, r, same) {
		if err := writer.Write(domain); err != nil {
			return err
		}
	}
	if err := cmp.Or(ctx.Err(), writer.Close()); err != nil {
		return err
	}
	return errors.Join(r.failures...)
}

// compareRecords prints what is wrong, domain by domain, and a summary.
func (r *recordsRun) compareRecords(ctx context.Context) error {
	comparer := records.NewComparer(r.loaded.Resolver)
	comparer.AskServices(r.loaded.CertificateFor())
	if r.resolver != "" {
		resolver, err := dns.NewResolver([]string{r.resolver}, r.loaded.Config.DNS.Timeout)
		if err != nil {
			return usagef("-resolver takes an IP address, with or without a port", "%w", err)
		}
		comparer = records.NewViewComparer(resolver)
	}
	if authority, ok := r.loaded.Authority(); ok {
		comparer.CheckCAA(authority)
	}
	compare := func(ctx context.Context, d records.Domain) (records.Comparison, error) {
		return comparer.Compare(ctx, d), nil
	}
	var summary records.Summary
	out := json.NewEncoder(r.stdout)
	out.SetEscapeHTML(false)
	for comparison := range eachDomain(ctx, r, compare) {
		summary.Add(comparison)
		r.progress(fmt.Sprintf("%d domains compared, %d with faults", summary.Domains, summary.Wrong))
		if r.format != "json" {
			fmt.Fprint(r.stdout, comparison)
		} else if err := out.Encode(comparison); err != nil {
			return err
		}
	}
	r.progress("")
	fmt.Fprintf(r.stderr, "signpost: %s\n", summary)
	if len(r.failures) == 0 && summary.Wrong+summary.Failed > 0 {
		return errFound
	}
	return errors.Join(r.failures...)
}

// progress replaces the current line of a terminal.
func (e env) progress(text string) {
	if isTerminal(e.stderr) {
		fmt.Fprint(e.stderr, "\r\033[K"+text)
	}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
