package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"

	"signpost/server"
)

func serve(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	file := configFlag(flags)
	listen := flags.String("listen", "", "listen on `ADDRESS`, such as 127.0.0.1:8080, instead of what the configuration says")
	if operands, err := parseFlags(e, flags, args, "[-config FILE] [-listen ADDRESS]"); err != nil {
		return err
	} else if len(operands) > 0 {
		return &usageError{fmt.Sprintf("serve takes no operand %q", operands[0]), "signpost serve -h explains the command"}
	}
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	service, err := load(*file, log)
	if err != nil {
		return err
	}
	service.printWarnings(e.stderr)
	if *listen == "" {
		*listen = service.config.Listen
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return &hintError{err, "-listen ADDRESS takes another address; a port below 1024 needs the right to bind it"}
	}
	log.Info("listening", "address", listener.Addr().String(), "config", service.file)
	return server.Serve(ctx, listener, service.handler(log), log)
}
