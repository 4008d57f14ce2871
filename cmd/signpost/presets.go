package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"signpost/internal/config"
)

const presetsUsage = `[NAME]

Lists the mail systems whose accounts and domains can be asked for in a few lines of the
configuration, and what those lines must say. With a NAME, prints that preset as an
account source in the general form: copy it into the configuration and change it where
your database or directory differs.`

func presets(_ context.Context, e env, args []string) error {
	operands, err := parseFlags(e, flag.NewFlagSet("presets", flag.ContinueOnError), args, presetsUsage)
	if err != nil {
		return err
	}
	switch len(operands) {
	case 0:
		return listPresets(e)
	case 1:
	default:
		return usagef("signpost presets -h explains the command",
			"presets takes one operand, not %q as well", operands[1])
	}
	text, ok := config.PresetText(operands[0])
	if !ok {
		return usagef("signpost presets lists them", "there is no preset %q", operands[0])
	}
	_, err = fmt.Fprint(e.stdout, text)
	return err
}

func listPresets(e env) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tMAIL SYSTEM\tNEEDS")
	for _, p := range config.Presets() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.Title, p.Needs)
	}
	return w.Flush()
}
