// Signpost tells mail clients where a person's mailbox is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

const help = `Signpost tells mail clients where a person's mailbox is.

Usage:
  signpost serve   [-config FILE] [-listen ADDRESS]   answer mail clients
  signpost check   [-config FILE] [-json]             check the configuration, print the logins it leads to
  signpost show    [-config FILE] [-client NAME] [-json] ADDRESS
                                                      print what each client is told for an address
  signpost records [-config FILE] [-compare|-publish|-remove] DOMAIN…|-all
                                                      print, compare or publish what domains should have in DNS
  signpost version                                    print the version

"signpost COMMAND -h" explains a command. Without -config, the file is
signpost.yaml in this folder or else /etc/signpost/signpost.yaml.
`

// env is what a command may touch, so that tests can run commands in process.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command runs with the arguments after its name. Its error is printed as
// "signpost: …" and makes the exit status 1, or 2 for a usageError.
type command func(ctx context.Context, e env, args []string) error

var commands = map[string]command{
	"serve":   serve,
	"check":   check,
	"show":    show,
	"records": recordsCommand,
	"version": version,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, env{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(status)
}

func run(ctx context.Context, e env, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, help)
		return 2
	}
	name := args[0]
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		fmt.Fprint(e.stdout, help)
		return 0
	}
	cmd, ok := commands[name]
	if !ok {
		fmt.Fprintf(e.stderr, "signpost: there is no command %q\nhint: signpost help lists the commands\n", name)
		return 2
	}
	return report(e.stderr, cmd(ctx, e, args[1:]))
}

// report prints an error as the manners of the command line want it and returns
// the exit status.
func report(stderr io.Writer, err error) int {
	var usage *usageError
	var hinted *hintError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errFound):
		return 1 // what was found has been printed
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "signpost: %s\nhint: %s\n", usage.text, usage.hint)
		return 2
	}
	for line := range strings.Lines(err.Error() + "\n") {
		fmt.Fprint(stderr, "signpost: ", line)
	}
	if errors.As(err, &hinted) {
		fmt.Fprintf(stderr, "hint: %s\n", hinted.hint)
	}
	return 1
}

// errFound is returned by a command that did its work and found a problem, which
// it has already printed.
var errFound = errors.New("a problem was found")

// usageError is a wrong use of the command line.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }

// hintError is a failure that has a known cure.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// parseFlags parses flags that stand before, between or after the operands,
// and returns the operands.
func parseFlags(e env, flags *flag.FlagSet, args []string, usage string) ([]string, error) {
	flags.SetOutput(io.Discard)
	var operands []string
	for {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(e.stdout, "Usage: signpost %s %s\n\n", flags.Name(), usage)
			flags.SetOutput(e.stdout)
			flags.PrintDefaults()
			return nil, err
		} else if err != nil {
			return nil, &usageError{err.Error(), "signpost " + flags.Name() + " -h explains the command"}
		}
		if flags.NArg() == 0 {
			return operands, nil
		}
		operands = append(operands, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func version(_ context.Context, e env, _ []string) error {
	version, goVersion := buildVersion()
	fmt.Fprintf(e.stdout, "signpost %s, %s\n", version, goVersion)
	return nil
}

// buildVersion is what the program was built from, and with.
func buildVersion() (version, goVersion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)", runtime.Version()
	}
	return info.Main.Version, info.GoVersion
}
