package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/internal/doctor/probe/network"
	"signpost/internal/fault"
	"signpost/internal/importer"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/machine"
	"signpost/internal/importer/start"
)

const initUsage = `[-o FILE] [-force] [-domain DOMAIN] [-mail-host HOST] [-servers LIST]
       [-product NAME] [-tls acme|proxy] [-name HOST]

Writes a first configuration. It asks DNS, web servers and the ports of the mail
server what is there, reads Postfix and Dovecot of this machine, and asks at
most five questions, each with what was found as its answer. Flags answer
questions; without a terminal, what was found counts. Nobody signs in, and no
mail is sent. In the end it prints the DNS records to publish.`

// initRun is one run of the command.
type initRun struct {
	env
	out, resolver          string
	force, private, postal bool
	answers                start.Answers
}

func initCommand(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("init", flag.ContinueOnError)
	r := initRun{env: e}
	flags.StringVar(&r.out, "o", "signpost.yaml", "write `FILE`")
	flags.BoolVar(&r.force, "force", false, "replace the file if it exists")
	flags.Func("domain", "`DOMAIN` of the mail addresses, or several with commas", func(text string) (err error) {
		domains, err := start.ParseDomains(text)
		for _, domain := range domains {
			if !slices.Contains(r.answers.Domains, domain) {
				r.answers.Domains = append(r.answers.Domains, domain)
			}
		}
		return err
	})
	flags.Func("mail-host", "`HOST` name of the mail server", func(text string) (err error) {
		r.answers.MailHost, err = start.ParseHost(text)
		return err
	})
	flags.Func("servers", "servers that mail programs are told, a `LIST` such as\n"+
		"\"imap mail.domain.se:993 SSL, smtp mail.domain.se:465 SSL\"", func(text string) error {
		for item := range strings.SplitSeq(text, ",") {
			server, err := start.ParseServer(item)
			if err != nil {
				return err
			}
			r.answers.Servers = append(r.answers.Servers, server)
		}
		return nil
	})
	flags.Func("product", "`NAME` of the mail service, for people", func(text string) (err error) {
		r.answers.Product, err = start.ParseProduct(text)
		return err
	})
	flags.Func("tls", "`HOW` TLS is ended: acme (Signpost orders certificates) or proxy (a web server\n"+
		"in front has them)", func(text string) (err error) {
		r.answers.TLS, err = start.ParseTLS(text)
		return err
	})
	flags.Func("name", "`HOST` name of this service (default setup.DOMAIN)", func(text string) (err error) {
		r.answers.Name, err = start.ParseHost(text)
		return err
	})
	flags.BoolVar(&r.postal, "machine", true, "read the configuration of Postfix and Dovecot, if this machine has them")
	flags.StringVar(&r.resolver, "resolver", "", "ask the name server at `ADDRESS`, not that of this machine")
	flags.BoolVar(&r.private, "private", false, "connect also to addresses that are not on the public internet")
	operands, err := parseFlags(e, flags, args, initUsage)
	switch {
	case err != nil:
		return err
	case len(operands) > 0:
		return usagef("signpost init -h explains the command", "init takes no %q: the domain is -domain's", operands[0])
	case r.resolver != "" && !isNameServer(r.resolver):
		return usagef("signpost init -h explains the command", "-resolver takes an IP address, with or without a port")
	}
	if err := importer.MayWrite(r.out, r.force); err != nil {
		return err
	}
	return r.run(ctx)
}

func (r *initRun) run(ctx context.Context) error {
	o := network.Options{Private: r.private}
	o.Version, _ = buildVersion()
	o.Hello, _ = os.Hostname()
	if r.resolver != "" {
		o.Servers = []string{r.resolver}
	}
	asker, err := network.New(o)
	if err != nil {
		return err
	}
	options := start.Options{Answers: r.answers, Asker: asker, PortTaken: portTaken, Out: r.stderr}
	if programs := machine.Installed(); r.postal && programs != (machine.Programs{}) {
		options.Machine = func(ctx context.Context, d *draft.Draft) error { return machine.Read(ctx, programs, d) }
	}
	if isTerminal(r.stdin) {
		options.Person = &start.Person{In: r.stdin, Out: r.stderr}
	}
	result, err := start.Run(ctx, options)
	if err != nil {
		if errors.Is(err, start.ErrNoDomain) || errors.Is(err, start.ErrNoMailHost) {
			return usageError{err}
		}
		return err
	}
	if _, err := importer.Save(ctx, r.out, r.force, &result.Draft); err != nil {
		return fault.WithHint(err,
			cmp.Or(fault.Hint(err), "say otherwise with the flags, or write it by hand: README.md has an example"))
	}
	return r.tell(ctx, result)
}

// tell prints what was not known, the records and the next commands.
func (r *initRun) tell(ctx context.Context, result *start.Result) error {
	fmt.Fprintf(r.stderr, "\n%s is written.\n", r.out)
	items := append(slices.Clone(result.Unknown), result.Draft.Hints...)
	if n := len(result.Draft.Lost); n > 0 {
		items = append(items,
			fmt.Sprintf("%d settings of the mail server are not carried over: the end of %s lists them", n, r.out))
	}
	if len(items) > 0 {
		fmt.Fprintln(r.stderr, "\nPlease look at these: they could not be known, or are yours to do.")
	}
	for _, item := range items {
		fmt.Fprintf(r.stderr, "  - %s\n", strings.Join(importer.Wrap(item, 74), "\n    "))
	}
	fmt.Fprintf(r.stderr, "\nRecords to publish, the first in the zone that %s is in:\n", result.Name)
	addresses := ownAddresses()
	for _, a := range addresses {
		recordType := "AAAA"
		if a.Is4() {
			recordType = "A"
		}
		fmt.Fprintf(r.stdout, "%s. 3600 IN %s %s\n", result.Name, recordType, a)
	}
	if len(addresses) == 0 {
		fmt.Fprintf(r.stdout, "; %s. 3600 IN A ‹the public address of this machine›\n", result.Name)
	}
	var domains []string
	for _, p := range result.Draft.Products {
		domains = append(domains, p.Domains...)
	}
	const most = 3
	args := append([]string{"-config", r.out}, domains[:min(most, len(domains))]...)
	var text strings.Builder
	if err := recordsCommand(ctx, env{r.stdin, &text, r.stderr}, args); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(r.stdout, briefRecord(strings.TrimSuffix(line, "\n")))
	}
	if len(domains) > most {
		fmt.Fprintf(r.stderr, "\nThe others' records: signpost records -config %s -all\n", r.out)
	}
	fmt.Fprintf(r.stderr, "\nNext:\n  signpost check -config %s\n", r.out)
	if path, err := filepath.Abs(r.out); err == nil && path == "/etc/signpost/signpost.yaml" {
		fmt.Fprintln(r.stderr, "  sudo systemctl restart signpost")
		return nil
	}
	fmt.Fprintf(r.stderr, "  signpost serve -config %s\n", r.out)
	return nil
}

// briefRecord returns a line of a zone file without the reason for the record, and breaks a
// comment into short lines.
func briefRecord(line string) string {
	if comment, ok := strings.CutPrefix(line, "; "); ok {
		return "; " + strings.Join(importer.Wrap(comment, 76), "\n;   ")
	}
	record, _, _ := strings.Cut(line, " ; ")
	return record
}

// portTaken reports whether something on this machine accepts connections at the port.
func portTaken(port int) bool {
	for _, host := range []string{"127.0.0.1", "::1"} {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), time.Second)
		if err == nil {
			c.Close()
			return true
		}
	}
	return false
}

// ownAddresses returns the public addresses of this machine's interfaces.
func ownAddresses() (addresses []netip.Addr) {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && network.IsPublic(prefix.Addr().Unmap()) {
			addresses = append(addresses, prefix.Addr().Unmap())
		}
	}
	return addresses
}
