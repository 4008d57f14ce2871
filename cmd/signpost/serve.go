package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"signpost/certs"
	"signpost/config"
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
	// From here on: a second SIGHUP during the start must not end the program.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	d, err := newDaemon(ctx, e.stderr, *file)
	if err != nil {
		return err
	}
	cfg := &d.started
	addresses := server.Addresses{HTTP: cfg.Listen, Admin: cfg.Admin.Listen, AdminOptional: cfg.Admin.Default}
	if *listen != "" {
		addresses.HTTP = *listen
	}
	if cfg.TLS != nil {
		addresses.HTTPS = cfg.TLS.Listen
		defer d.certs.Close()
	}
	listeners, err := server.Listen(addresses)
	if err != nil {
		var where *server.ListenError
		if errors.As(err, &where) {
			return &hintError{err, where.Hint()}
		}
		return err
	}
	if listeners.AdminMissing != nil {
		d.log.Warn("no admin listener, and so no metrics", "error", listeners.AdminMissing, "hint", "admin.listen names another address, or none")
	}
	d.say("listening", listeners.HTTP, "config", d.service.Load().file)
	d.say("listening for TLS", listeners.HTTPS)
	d.say("listening for the operator", listeners.Admin)
	if d.certs != nil {
		d.certs.Start(ctx)
	}
	notify("READY=1\nSTATUS=" + d.status())
	defer context.AfterFunc(ctx, func() { notify("STOPPING=1") })()
	s := d.server(ctx)
	settle()
	go watchdog(ctx)
	go d.reloads(ctx, hangup)
	return s.Serve(ctx, listeners)
}

// server is what is served, with what cannot be changed without a restart.
func (d *daemon) server(ctx context.Context) *server.Service {
	cfg := &d.started
	s := &server.Service{
		Handler: d.live,
		Admin: server.Admin{
			Metrics: d.metrics,
			Pprof:   cfg.Admin.Pprof,
			Ask:     certs.AskHandler(d.policy(), cfg.Admin.AskPerHour, d.log),
			Ready: func() error {
				if ctx.Err() != nil {
					return errors.New("stopping")
				}
				return nil
			},
		}.Handler(),
		Timeouts:    timeouts(cfg.Limits),
		Connections: cfg.Limits.Connections,
		Log:         d.log,
		Metrics:     d.metrics,
	}
	if d.certs != nil {
		s.Handler, s.TLS = d.certs.HTTPChallenge(d.live), d.certs.TLSConfig()
	}
	if cfg.Proxies.Protocol {
		s.ProxyProtocol = d.live.Trusts
	}
	return s
}

func timeouts(l config.Limits) server.Timeouts {
	return server.Timeouts{Header: l.Header, Read: l.Read, Write: l.Write, Idle: l.Idle, Stop: l.Stop}
}

// say logs each listener.
func (d *daemon) say(what string, listeners []net.Listener, more ...any) {
	for _, l := range listeners {
		d.log.Info(what, append([]any{"address", l.Addr().String()}, more...)...)
	}
}

// newLog writes as the configuration wants it.
func newLog(w io.Writer, l config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.Level}
	if l.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// restart lists the keys whose change needs a restart.
func restart(old, now *config.Config) []string {
	var keys []string
	for key, changed := range map[string]bool{
		"listen":             old.Listen != now.Listen,
		"admin":              old.Admin != now.Admin,
		"tls.listen":         tlsListen(old) != tlsListen(now),
		"tls.acme":           !sameACME(old, now),
		"name (of tls)":      old.TLS != nil && now.TLS != nil && old.Name != now.Name,
		"proxyProtocol":      old.Proxies.Protocol != now.Proxies.Protocol,
		"limits.connections": old.Limits.Connections != now.Limits.Connections,
		"limits (times)":     timeouts(old.Limits) != timeouts(now.Limits),
	} {
		if changed {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// tlsListen is where HTTPS is served, if it is.
func tlsListen(c *config.Config) string {
	if c.TLS == nil {
		return ""
	}
	return c.TLS.Listen
}

// sameACME tells whether certificates come from the same place.
func sameACME(old, now *config.Config) bool {
	if old.TLS == nil || now.TLS == nil {
		return true // which tls.listen says
	}
	a, b := old.TLS.ACME, now.TLS.ACME
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// fileRest is how long the files must not have changed before they are loaded.
const fileRest = 300 * time.Millisecond
