package main

import (
	"context"
	"flag"

	"signpost/internal/service"
)

func serve(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	file := configFlag(flags)
	listen := flags.String("listen", "",
		"listen on `ADDRESS`, such as 127.0.0.1:8080, instead of the configured address of plain HTTP")
	operands, err := parseFlags(e, flags, args, "[-config FILE] [-listen ADDRESS]")
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return usagef("signpost serve -h explains the command", "serve takes no operand %q", operands[0])
	}
	version, goVersion := buildVersion()
	err = service.Run(ctx, service.Options{
		File:      *file,
		Listen:    *listen,
		Version:   version,
		GoVersion: goVersion,
		Log:       e.stderr,
	})
	return withFlagHint(err, "-config")
}
