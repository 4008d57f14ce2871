package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"signpost/internal/certstore"
	"signpost/internal/fault"
)

const certificatesUsage = `[-config FILE] -from DIRECTORY

Copies ordered certificates with their keys, and the accounts at ACME servers, from a
directory into the database of tls.acme.storage, so that none is ordered again. Leaves
out what has expired, and what the database has already, in the same version or a newer
one. Signpost may run meanwhile with the directory or the database, and the command can
be run again. The exit status is 1 if a file cannot be used.`

func certificates(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("certificates", flag.ContinueOnError)
	file := configFlag(flags)
	from := flags.String("from", "", "copy from `DIRECTORY`, which tls.acme.storage named before")
	operands, err := parseFlags(e, flags, args, certificatesUsage)
	if err != nil {
		return err
	}
	const hint = "-from DIRECTORY names the directory to copy from"
	switch {
	case len(operands) > 0:
		return usagef(hint, "certificates takes no operand %q", operands[0])
	case *from == "":
		return usagef(hint, "certificates needs -from")
	}
	l, err := load("-config", *file)
	if err != nil {
		return err
	}
	defer l.CloseSources()
	copied, err := l.CopyCertificates(ctx, *from, func(file string, reason error) {
		fmt.Fprintf(e.stderr, "signpost: %s: %v\n", file, reason)
	})
	switch {
	case copied == certstore.Copied{} && err == nil:
		return fault.WithHint(fmt.Errorf("%s holds no certificates", *from), hint)
	case copied == certstore.Copied{}:
		return err
	}
	if written := writeCopied(e.stdout, copied); written != nil || err != nil {
		return errors.Join(err, written)
	}
	if copied.Unusable > 0 {
		return errFound
	}
	return nil
}

// writeCopied writes how many certificates were copied, and how many were left, and why.
func writeCopied(out io.Writer, c certstore.Copied) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range []struct {
		text   string
		count  int
		always bool
	}{
		{"certificates copied", c.Certificates, true},
		{"accounts copied", c.Accounts, true},
		{"left: expired", c.Expired, false},
		{"left: in the database already", c.There, false},
		{"left: being ordered now", c.Ordered, false},
		{"left: cannot be used", c.Unusable, false},
	} {
		if line.count > 0 || line.always {
			fmt.Fprintf(w, "%s\t%d\n", line.text, line.count)
		}
	}
	return w.Flush()
}
