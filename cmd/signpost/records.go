package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/config"
	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/records"
	"signpost/internal/records/publish"
	"signpost/internal/service"
	"signpost/internal/show"
)

const recordsUsage = `[-config FILE] [-format zone|json|nsupdate|octodns] [-was FILE] DOMAIN…|-all
       signpost records [-config FILE] -compare [-resolver ADDRESS] [-at-once N] [-format json] DOMAIN…|-all
       signpost records [-config FILE] -publish|-remove [-yes] [-replace] DOMAIN…|-all

Prints what domains should have in DNS so that clients find the service, with
the reason for each record; compares it with what DNS has; or publishes it by
dynamic update to the primaries that the configuration names.`

// recordsFlags are the flags of the command.
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
		was:      flags.String("was", "", "also print the PACC digest by `FILE`, the configuration in use up to now, so that both stand side by side during the change"),
		resolver: flags.String("resolver", "", "compare with what the name server at `ADDRESS` says, not with the domain's own name servers"),
		all:      flags.Bool("all", false, "all domains that the configuration names"),
		compare:  flags.Bool("compare", false, "compare with what DNS has; exit status 1 if something is wrong"),
		publish:  flags.Bool("publish", false, "show what has to change at the primary, and change it"),
		remove:   flags.Bool("remove", false, "take out what was published for a domain that leaves"),
		yes:      flags.Bool("yes", false, "do not ask before changing anything"),
		replace:  flags.Bool("replace", false, "take over records in the way that somebody else wrote"),
		atOnce:   flags.Int("at-once", 32, "compare `N` domains at a time"),
	}
	var err error
	if f.domains, err = parseFlags(e, flags, args, recordsUsage); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	l, err := load("-config", *f.config)
	if err != nil {
		return err
	}
	domains, failed := guided(l, ctx, f)
	switch {
	case *f.compare:
		err = compareRecords(l, ctx, e, f, domains)
	case *f.publish || *f.remove:
		err = publishRecords(l, ctx, e, f, domains, failed)
	default:
		err = printRecords(e.stdout, *f.format, domains)
	}
	return errors.Join(*failed, err)
}

// check refuses what does not go together.
func (f *recordsFlags) check() error {
	wrong := func(text string) error {
		return usagef("signpost records -h explains the command", "%s", text)
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
	case *f.atOnce < 1 || *f.atOnce > 64:
		return wrong("-at-once takes a number from 1 to 64")
	}
	for i, domain := range f.domains {
		name, err := account.ParseDomain(domain)
		if err != nil {
			return wrong(fmt.Sprintf("%q is %v", domain, err))
		}
		f.domains[i] = name
	}
	slices.Sort(f.domains)
	f.domains = slices.Compact(f.domains)
	if *f.compare && *f.format != "zone" && *f.format != "json" {
		return wrong("-compare prints text or -format json")
	}
	if !*f.compare && *f.resolver != "" {
		return wrong("-resolver goes with -compare")
	}
	return nil
}

// guided goes through what each domain should have. It ends at the first domain
// that is not hosted here and leaves the error.
func guided(l *service.Loaded, ctx context.Context, f recordsFlags) (iter.Seq[records.Domain], *error) {
	failed := new(error)
	return func(yield func(records.Domain) bool) {
		guide, err := guide(l, *f.was)
		if err != nil {
			*failed = err
			return
		}
		for name := range domains(l, f) {
			if *f.remove {
				if !yield(records.Remove(name)) {
					return
				}
				continue
			}
			settings, err := l.Directory.Resolve(ctx, account.Query{Address: account.AnyAt(name)})
			if errors.Is(err, account.ErrUnknownDomain) {
				*failed = notHosted(l, name)
				return
			} else if err != nil {
				*failed = fmt.Errorf("%s: %w", name, err)
				return
			}
			if !yield(guide.For(settings)) {
				return
			}
		}
	}, failed
}

// domains goes through the domains that the command line means.
func domains(l *service.Loaded, f recordsFlags) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, domain := range f.domains {
			if !yield(domain) {
				return
			}
		}
		if !*f.all {
			return
		}
		for _, p := range l.Config.Providers {
			for _, domain := range p.Domains {
				if domain != "*" && !yield(domain) {
					return
				}
			}
		}
	}
}

// guide says what domains should have by this configuration, and by the one in
// the file was where PACC's digest differs.
func guide(l *service.Loaded, was string) (*records.Guide, error) {
	if l.Config.Name == "" && len(l.Config.DNS.Addresses) == 0 {
		return nil, fault.WithHint(
			fmt.Errorf("%s says neither the service's own name nor its addresses, so there is nothing that records could point to", l.File),
			"write name: or dns: {addresses: […]}",
		)
	}
	digest := digests()
	options := records.Options{
		Name:      l.Config.Name,
		Addresses: l.Config.DNS.Addresses,
		TTL:       uint32(l.Config.DNS.TTL.Seconds()),
		Digest:    digest,
	}
	for _, p := range l.Config.Providers {
		if len(l.Config.Accounts) > 0 && len(p.Domains) == 0 && len(p.MX) == 0 {
			options.Others = append(options.Others, p.Provider) // for listed accounts only
		}
	}
	if was != "" {
		old, err := load("-was", was)
		if err != nil {
			return nil, err
		}
		options.OldDigest = func(settings account.Settings) (string, error) {
			before, err := old.Directory.Resolve(context.Background(), account.Query{Address: settings.Address})
			if err != nil {
				return "", err
			}
			return digest(before)
		}
	}
	return records.New(options), nil
}

// digests tells the TXT record that vouches for a domain's PACC document.
func digests() func(account.Settings) (string, error) {
	var documents autoconfig.PACCs
	return func(settings account.Settings) (string, error) {
		settings.Servers = settings.Provider.ServersFor(account.PACC)
		document, err := documents.Document(settings)
		if err != nil {
			return "", errors.New(show.Reason(err))
		}
		return autoconfig.Digest(document), nil
	}
}

func printRecords(w io.Writer, format string, domains iter.Seq[records.Domain]) error {
	out := bufio.NewWriter(w)
	writer, err := records.NewWriter(out, format)
	if err != nil {
		return usagef("-format is one of zone, json, nsupdate, octodns", "%w", err)
	}
	for domain := range domains {
		if err := writer.Write(domain); err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return out.Flush()
}

// compareRecords prints what is wrong, domain by domain, and a summary.
func compareRecords(l *service.Loaded, ctx context.Context, e env, f recordsFlags, domains iter.Seq[records.Domain]) error {
	comparer := records.NewComparer(l.Resolver)
	if *f.resolver != "" {
		resolver, err := dns.NewResolver([]string{*f.resolver}, l.Config.DNS.Timeout)
		if err != nil {
			return usagef("-resolver takes an IP address, with or without a port", "%w", err)
		}
		comparer = records.NewViewComparer(resolver)
	}
	var summary records.Summary
	out := json.NewEncoder(e.stdout)
	out.SetEscapeHTML(false)
	for comparison := range comparer.CompareAll(ctx, domains, *f.atOnce) {
		summary.Add(comparison)
		progress(e, summary)
		if *f.format != "json" {
			fmt.Fprint(e.stdout, comparison)
		} else if err := out.Encode(comparison); err != nil {
			return err
		}
	}
	endProgress(e)
	fmt.Fprintf(e.stderr, "signpost: %s\n", summary)
	if summary.Wrong > 0 || summary.Failed > 0 {
		return errFound
	}
	return nil
}

// progress counts domains in one line of a terminal.
func progress(e env, summary records.Summary) {
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

// publishRecords plans for all domains, shows the plans, asks, and applies them.
// A domain with a conflict is left alone, and so is everything if a domain is
// not ours: failed says so when all have been gone through.
func publishRecords(l *service.Loaded, ctx context.Context, e env, f recordsFlags, domains iter.Seq[records.Domain], failed *error) error {
	publisher, err := newPublisher(l, *f.replace)
	if err != nil {
		return err
	}
	var plans []*publish.Plan
	conflicts := 0
	for domain := range domains {
		plan, err := publisher.Plan(ctx, domain)
		if err != nil {
			return err
		}
		if plan.Empty() && len(plan.Notes) == 0 {
			continue
		}
		fmt.Fprint(e.stdout, plan)
		switch {
		case len(plan.Conflicts) > 0:
			conflicts++
		case !plan.Empty():
			plans = append(plans, plan)
		}
	}
	if *failed != nil {
		return nil // told by the caller
	}
	if len(plans) == 0 && conflicts == 0 {
		fmt.Fprintln(e.stdout, "nothing to do")
		return nil
	}
	if len(plans) > 0 && !*f.yes {
		if err := confirm(e); err != nil {
			return err
		}
	}
	for _, plan := range plans {
		if err := publisher.Apply(ctx, plan); err != nil {
			return err
		}
		add, change, remove := plan.Counts()
		fmt.Fprintf(e.stdout, "%s: %d added, %d changed, %d removed\n", plan.Domain, add, change, remove)
	}
	if conflicts > 0 {
		return fault.WithHint(
			fmt.Errorf("%d domains are left as they are, because records are in the way that somebody else wrote", conflicts),
			"remove them, or take them over with -replace",
		)
	}
	return nil
}

// confirm asks a person at a terminal whether to go on.
func confirm(e env) error {
	if !isTerminal(e.stdin) {
		return fault.WithHint(errors.New("nothing is published without being asked for"), "-yes applies the plan above")
	}
	fmt.Fprint(e.stderr, "signpost: publish this? [y/N] ")
	answer, err := bufio.NewReader(e.stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing is published")
	}
	return nil
}

func newPublisher(l *service.Loaded, replace bool) (*publish.Publisher, error) {
	if len(l.Config.DNS.Updates) == 0 {
		return nil, fault.WithHint(
			fmt.Errorf("%s names no primary to publish to", l.File),
			"write dns: {updates: [{zone: …, primary: …, keyFile: …}]}, or print the records and put them in by hand",
		)
	}
	if l.Config.Name == "" {
		return nil, fault.WithHint(fmt.Errorf("%s gives the service no name, which marks what it published", l.File), "write name:")
	}
	options := publish.Options{Owner: l.Config.Name, Replace: replace}
	for _, u := range l.Config.DNS.Updates {
		key, err := updateKey(u)
		if err != nil {
			return nil, fmt.Errorf("the key for the zone %s: %w", u.Zone, err)
		}
		options.Updates = append(options.Updates, dns.Update{Zone: u.Zone, Primary: u.Primary, Key: key})
	}
	return publish.New(options)
}

func updateKey(u config.Update) (dns.Key, error) {
	if u.KeyFile != "" {
		return dns.ReadKeyFile(u.KeyFile)
	}
	key := dns.Key{Name: u.KeyName, Algorithm: u.KeyAlgorithm, Secret: dns.Secret(u.KeySecret)}
	return key, key.Check()
}
