package main

import (
	"context"
	"flag"

	"signpost/internal/service"
)

const serveUsage = `[-config FILE] [-listen ADDRESS]

Answers mail clients until it receives SIGTERM or SIGINT; a second signal ends it at
once. It loads the configuration again at SIGHUP and when one of its files has changed.`

func serve(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	file := configFlag(flags)
	listen := flags.String("listen", "",
		"serve plain HTTP on `ADDRESS`, such as 127.0.0.1:8080, instead of the configured one")
	operands, err := parseFlags(e, flags, args, serveUsage)
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
