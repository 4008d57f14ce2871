package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"

	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"signpost/account"
	"signpost/internal/doctor"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe/network"
	"signpost/internal/fault"
	"signpost/internal/service"
)

const doctorUsage = `[-client CLIENT,…] [-json] [-v] [-fail-on error|warning] ADDRESS|DOMAIN
       signpost doctor -from FILE [-out FILE] [-at-once N] [-json]

Asks the network what mail clients would ask for an address, and says what each
of them ends up with, what is wrong, and what cures it. Nobody signs in, and no
mail is sent. Exit status 1 if something is wrong or could not be asked.`

// doctorRun is one run of the command.
type doctorRun struct {
	env
	clients, resolver, failOn, config string
	json, verbose, v4, v6, private    bool
	redact, real                      bool
	from, out                         string
	atOnce                            int
	timeout                           time.Duration
	options                           doctor.Options
	least                             finding.Severity
}

// doctorMemory is from where on the command collects garbage more often: what hostile servers send is
// limited, and what reading it leaves behind need not pile up. The whole process then stays below 64 MB.
const doctorMemory = 32 << 20

func doctorCommand(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	r := doctorRun{env: e}
	flags.StringVar(&r.config, "config", "",
		"also compare with what this service would tell, by the configuration in\n"+
			"`FILE` (default signpost.yaml in this directory, then\n/etc/signpost/signpost.yaml, if there is one)")
	flags.StringVar(&r.clients, "client", "",
		"forecast only these `CLIENTS`, separated by commas, in all their versions:\n"+clientNames())
	flags.BoolVar(&r.json, "json", false, "print JSON")
	flags.BoolVar(&r.verbose, "v", false, "also print the mail servers, and each request with its time")
	flags.BoolVar(&r.v4, "4", false, "connect by IPv4 only")
	flags.BoolVar(&r.v6, "6", false, "connect by IPv6 only")
	flags.StringVar(&r.resolver, "resolver", "", "ask the name server at `ADDRESS`, not that of this machine")
	flags.StringVar(&r.failOn, "fail-on", "error",
		"exit with 1 for findings of this `SEVERITY` or worse: error or warning")
	flags.BoolVar(&r.private, "private", false, "connect also to addresses that are not on the public internet")
	flags.BoolVar(&r.redact, "redact", false, "print nothing that tells whose address it is, for a ticket")
	flags.BoolVar(&r.real, "real", false,
		"send the address itself also to servers outside its domain, as clients do;\n"+
			"otherwise these are asked about another mailbox of the domain")
	flags.DurationVar(&r.timeout, "timeout", 0,
		"end after this `TIME` with what is known (default 1m; 5m for each address of\n"+
			"-from, as they wait for one another)")
	flags.StringVar(&r.from, "from", "",
		"diagnose the addresses and domains in `FILE`, one on a line, - for standard input,\nand print a line for each")
	flags.StringVar(&r.out, "out", "",
		"with -from, keep the reports in `FILE`, as JSON, one on a line; what is in it\n"+
			"already is not diagnosed again, so a run that was broken off goes on")
	flags.IntVar(&r.atOnce, "at-once", 8, "with -from, diagnose `N` addresses at a time")
	operands, err := parseFlags(e, flags, args, doctorUsage)
	if err != nil {
		return err
	}
	if err := r.setOptions(operands); err != nil {
		return usageError{fault.WithHint(err, "signpost doctor -h explains the command")}
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(doctorMemory))
	done, err := r.readOwn(ctx)
	if err != nil {
		return err
	}
	defer done()
	if r.from != "" {
		return r.many(ctx)
	}
	return r.one(ctx)
}

// clientNames lists the IDs of all clients, in lines for the help.
func clientNames() string {
	var lines []string
	line := ""
	all, _ := doctor.Choose(nil)
	for _, c := range all {
		if len(line)+len(c.ID) > 70 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + c.ID)
	}
	return strings.Join(append(lines, line), "\n")
}

// setOptions checks flags and operands, and makes the options of them.
func (r *doctorRun) setOptions(operands []string) error {
	r.least = finding.Severity(r.failOn)
	switch {
	case r.least != finding.Error && r.least != finding.Warning:
		return fmt.Errorf("-fail-on takes error or warning, not %q", r.failOn)
	case r.timeout != 0 && (r.timeout < time.Second || r.timeout > 10*time.Minute):
		return errors.New("-timeout takes a time from 1s to 10m")
	case r.from == "" && len(operands) != 1, r.from != "" && len(operands) > 0:
		return errors.New("doctor takes one address or domain, or -from FILE")
	case r.from == "" && r.out != "":
		return errors.New("-out goes with -from")
	case r.out != "" && r.redact:
		return errors.New("-out keeps addresses, to go on from there, so -redact cannot go with it")
	case r.resolver != "" && !isNameServer(r.resolver):
		return errors.New("-resolver takes an IP address, with or without a port")
	case r.atOnce < 1 || r.atOnce > 64:
		return errors.New("-at-once takes a number from 1 to 64")
	}
	if r.timeout == 0 && r.from != "" {
		r.timeout = 5 * doctor.Limit
	}
	r.options = doctor.Options{Limit: r.timeout, Real: r.real}
	r.options.Version, _ = buildVersion()
	if r.clients != "" {
		for id := range strings.SplitSeq(r.clients, ",") {
			r.options.Clients = append(r.options.Clients, strings.ToLower(strings.TrimSpace(id)))
		}
	}
	if _, err := doctor.Choose(r.options.Clients); err != nil {
		return err
	}
	n, err := r.newNetwork()
	if err != nil {
		return err
	}
	r.options.Asker, r.options.Resolver = n, strings.Join(n.Resolver(), ", ")
	if r.from == "" {
		r.options.Address, err = doctorAddress(operands[0])
	}
	return err
}

// isNameServer reports whether a text is an IP address, with or without a port.
func isNameServer(text string) bool {
	_, err := netip.ParseAddr(text)
	_, errWithPort := netip.ParseAddrPort(text)
	return err == nil || errWithPort == nil
}

// doctorAddress parses an address or a domain.
func doctorAddress(text string) (account.Address, error) {
	if len(text) > 7 && strings.EqualFold(text[:7], "mailto:") {
		text = text[7:]
	}
	if strings.Contains(text, "@") {
		address, err := account.ParseAddress(text)
		if err != nil {
			return address, fmt.Errorf("%q is %w", text, err)
		}
		return address, nil
	}
	domain, err := account.ParseDomain(text)
	if err != nil {
		return account.Address{}, fmt.Errorf("%q is %w", text, err)
	}
	if !strings.Contains(domain, ".") {
		return account.Address{}, usagef("name a mail address, or a domain", "%q is neither", text)
	}
	return doctor.AtDomain(domain)
}

// readOwn reads the configuration of this service. Without -config it need not exist. The
// caller must call the function that it returns.
func (r *doctorRun) readOwn(ctx context.Context) (done func(), err error) {
	l, err := load("-config", r.config)
	switch {
	case err == nil:
		r.options.Own = l.DoctorsView()
		return readSources(ctx, r.env, l), nil
	case r.config != "":
		return nil, err
	case !errors.Is(err, service.ErrNoConfig):
		fmt.Fprintf(r.stderr, "signpost: warning: the domain is not compared with this service: %v\n", err)
	}
	return func() {}, nil
}

// newNetwork returns what asks the network for one diagnosis.
func (r *doctorRun) newNetwork() (*network.Network, error) {
	o := network.Options{Private: r.private, IPv4: r.v4, IPv6: r.v6, Version: r.options.Version}
	if r.resolver != "" {
		o.Servers = []string{r.resolver}
	}
	o.Hello, _ = os.Hostname()
	return network.New(o)
}

// one diagnoses one address.
func (r *doctorRun) one(ctx context.Context) error {
	if isTerminal(r.stderr) {
		r.options.Progress = r.showProgress()
	}
	report, err := doctor.Examine(ctx, r.options)
	r.progress("")
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	exit := 0
	if report.Fails(r.least) {
		exit = 1
	}
	if r.redact {
		report = report.Redacted()
	}
	if r.json {
		if !r.verbose {
			report.Requests = nil
		}
		err = writeJSON(r.stdout, report)
	} else {
		err = report.WriteText(r.stdout, doctor.Layout{Width: terminalWidth(r.stdout), Verbose: r.verbose, Exit: exit})
	}
	if err == nil && exit == 1 {
		err = errFound
	}
	return err
}

// showProgress returns a function that shows progress on the terminal, now and then.
func (r *doctorRun) showProgress() func(doctor.Progress) {
	var mu sync.Mutex
	var last time.Time
	return func(p doctor.Progress) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) < 100*time.Millisecond {
			return
		}
		last = time.Now()
		text := fmt.Sprintf("%d requests answered", p.Requests)
		if p.Of > 0 {
			text = fmt.Sprintf("%d of %d %s, %s", p.Done, p.Of, p.Phase, text)
		}
		r.progress(text)
	}
}

// terminalWidth returns the columns of a terminal, 0 for anything else.
func terminalWidth(stream any) int {
	file, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
