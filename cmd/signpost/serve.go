package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"signpost/internal/certs"
	"signpost/internal/config"
	"signpost/internal/server"
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
	if len(listeners.HTTPS) > 0 && cfg.TLS == nil {
		listeners.Close()
		return &hintError{errors.New("systemd passes a socket for https, and the configuration has no tls"),
			"tls says which certificates are served; FileDescriptorName=http in the socket's unit makes it one for plain HTTP"}
	}
	for _, address := range listeners.Replaced {
		d.log.Info("a socket of systemd takes the place of an address", "address", address)
	}
	d.warnOfFiles(len(listeners.HTTP) + len(listeners.HTTPS))
	d.say("listening", listeners.HTTP, "config", d.service.Load().file)
	d.say("listening for TLS", listeners.HTTPS)
	d.say("listening for the operator", listeners.Admin)
	if d.certs != nil {
		d.certs.Start(ctx)
	}
	s := d.server(ctx)
	d.systemd.say("READY=1\nSTATUS=" + d.status())
	defer context.AfterFunc(ctx, func() { d.systemd.stop(cfg.Limits.Stop + closeTime) })()
	settle()
	go d.systemd.watchdog(ctx, d.metrics.Gather)
	go d.reloads(ctx, hangup)
	return s.Serve(ctx, listeners)
}

// closeTime is how long the end may take when the requests in flight are over:
// orders of certificates that are under way are given up.
const closeTime = 10 * time.Second

// otherFiles is how many a process has open besides the connections of clients.
const otherFiles = 100

// warnOfFiles says when connections will fail before they are too many.
func (d *daemon) warnOfFiles(listeners int) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return
	}
	if most := d.started.Limits.Connections * listeners; uint64(most+otherFiles) > files.Cur {
		d.log.Warn("more connections are allowed than files may be open", "connections", most, "files", files.Cur,
			"hint", "LimitNOFILE= in the unit allows more files; limits.connections fewer connections, of each listener")
	}
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
		PerAddress:  cfg.Limits.PerAddress,
		Trusts:      d.live.Trusts,
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
		"limits.connections": old.Limits.Connections != now.Limits.Connections || old.Limits.PerAddress != now.Limits.PerAddress,
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
