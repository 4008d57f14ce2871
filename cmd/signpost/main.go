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

	"signpost/internal/fault"
)

const help = `Signpost tells mail clients where a person's mailbox is.

Usage:
  signpost init    [-o FILE] [-domain DOMAIN]         write a first configuration, by looking and asking
  signpost import  [-o FILE] FILE|DIRECTORY|DOMAIN…   write a configuration from another tool's, or a living domain
  signpost serve   [-config FILE] [-listen ADDRESS]   answer mail clients
  signpost check   [-config FILE] [-json]             check the configuration and print the resulting logins
  signpost show    [-config FILE] [-client NAME|-json] ADDRESS
                                                      print what each client is told for an address
  signpost records [-config FILE] [-compare|-publish|-remove] DOMAIN…|-all
                                                      print, compare or publish the DNS records of domains
  signpost doctor  [-client CLIENT,…] [-json] [-v] ADDRESS|DOMAIN
                                                      ask the network what each client finds for an address, and why
  signpost certificates [-config FILE] -from DIRECTORY
                                                      copy certificates from a directory into a shared database
  signpost presets [NAME]                             list the mail systems known as account sources, or print one
  signpost version                                    print the version

"signpost help COMMAND" explains a command. Without -config, the file is
signpost.yaml in this directory or else /etc/signpost/signpost.yaml.
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
	"init":         initCommand,
	"import":       importCommand,
	"serve":        serve,
	"check":        check,
	"show":         showCommand,
	"records":      recordsCommand,
	"doctor":       doctorCommand,
	"certificates": certificates,
	"presets":      presets,
	"version":      version,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal stops the command in good order. From then on signals have
	// their usual effect, so the second one ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, env{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

func run(ctx context.Context, e env, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, help)
		return 2
	}
	if args[0] == "help" && len(args) > 1 {
		args = []string{args[1], "-h"}
	}
	name := args[0]
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		fmt.Fprint(e.stdout, help)
		return 0
	}
	cmd, ok := commands[name]
	if !ok {
		return report(e.stderr, usagef("signpost help lists the commands", "there is no command %q", name))
	}
	return report(e.stderr, cmd(ctx, e, args[1:]))
}

// errFound is returned by a command that did its work and found a problem, which
// it has already printed.
var errFound = errors.New("a problem was found")

// usageError is a wrong use of the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usagef returns a usageError with a hint.
func usagef(hint, format string, args ...any) error {
	return usageError{fault.WithHint(fmt.Errorf(format, args...), hint)}
}

// report prints an error and its hint, and returns the exit status.
func report(stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if errors.Is(err, errFound) {
		return 1
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(stderr, "signpost: %s\n", line)
	}
	if hint := fault.Hint(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

const versionUsage = `[-h]

Prints the version of Signpost, and that of the Go that built it.`

func version(_ context.Context, e env, args []string) error {
	operands, err := parseFlags(e, flag.NewFlagSet("version", flag.ContinueOnError), args, versionUsage)
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return usagef("signpost version -h explains the command", "version takes no operand %q", operands[0])
	}
	version, goVersion := buildVersion()
	fmt.Fprintf(e.stdout, "signpost %s, %s\n", version, goVersion)
	return nil
}

// buildVersion returns the version of the program and of Go.
func buildVersion() (version, goVersion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)", runtime.Version()
	}
	return info.Main.Version, info.GoVersion
}
