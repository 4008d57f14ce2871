package main

import (
	"context"
	"flag"
	"fmt"

	"signpost/account"
	"signpost/internal/show"
)

const showUsage = `[-config FILE] [-client CLIENT|-json] ADDRESS

Prints what each kind of client is told for an address, and why.`

func showCommand(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("show", flag.ContinueOnError)
	file := configFlag(flags)
	client := flags.String("client", "",
		"print the document that `CLIENT` gets, a profile without its signature:\n"+show.Names())
	asJSON := flags.Bool("json", false, "print JSON")
	operands, err := parseFlags(e, flags, args, showUsage)
	if err != nil {
		return err
	}
	if len(operands) != 1 {
		return usagef("signpost show mail@domain.se", "show takes one address")
	}
	if *client != "" && *asJSON {
		return usagef("-client prints the document as the client gets it, -json a summary for programs",
			"-client and -json exclude one another")
	}
	dialect, ok := show.Find(*client)
	if *client != "" && !ok {
		return usagef("it is one of "+show.Names(), "there is no client %q", *client)
	}
	address, err := account.ParseAddress(operands[0])
	if err != nil {
		return usagef("write it as mail@domain.se", "%q is %v", operands[0], err)
	}
	l, err := load("-config", *file)
	if err != nil {
		return err
	}
	defer readSources(ctx, e, l)()
	report, err := show.Explain(ctx, l.Directory.Resolve, address, l.Config.Name)
	if account.IsUnknown(err) {
		return notHosted(l, address.Domain(), err)
	}
	if err != nil {
		return err
	}
	if *client != "" {
		settings, err := l.Directory.Resolve(ctx, dialect.Query(address))
		if err != nil {
			return err
		}
		return printDocument(e, dialect, settings, l.Config.Name)
	}
	if len(l.Sources) > 0 {
		report.AddTrace(l.Directory.Trace(ctx, address))
	}
	if *asJSON {
		return writeJSON(e.stdout, report)
	}
	return report.WriteText(e.stdout)
}

// printDocument prints what a client gets; a note about it goes to standard error.
func printDocument(e env, d show.Dialect, settings account.Settings, service string) error {
	document, note, err := d.Document(settings, service)
	if err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintf(e.stderr, "signpost: %s\n", note)
	}
	_, err = e.stdout.Write(document)
	return err
}
