package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/probe/network"
	"signpost/internal/fault"
	"signpost/internal/importer"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/format"
	"signpost/internal/importer/living"
	"signpost/internal/importer/machine"
)

const importUsage = `[-o FILE] [-force] [-format NAME] FILE|DIRECTORY|DOMAIN…
       signpost import [-o FILE] [-force] [-postfix] [-dovecot]

Writes a configuration that tells mail clients what they are told today: by
another tool, whose files it reads; by a living domain, whose documents and
records it asks for; or as this machine's mail server is configured. It lists
what cannot be carried over, and compares the answers for every domain with the
source before it writes the file. Nobody signs in, and no password is copied.
Exit status 1 if the network contradicts itself.`

// importRun is one run of the command.
type importRun struct {
	env
	out, format, resolver string
	force, private        bool
	programs              machine.Programs

	draft        draft.Draft
	inFolder     map[string]bool       // files that are not named themselves
	told         map[draft.Remark]bool // what has been printed already
	titles       []string
	contradicted bool
}

func importCommand(ctx context.Context, e env, args []string) error {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	r := importRun{env: e, inFolder: map[string]bool{}, told: map[draft.Remark]bool{}}
	flags.StringVar(&r.out, "o", "signpost.yaml", "write `FILE`")
	flags.BoolVar(&r.force, "force", false, "replace the file if it exists")
	flags.StringVar(&r.format, "format", "", "take all files for those of `NAME`, whatever they look like: "+
		formatNames())
	flags.BoolVar(&r.programs.Postfix, "postfix", false, "ask postconf of this machine")
	flags.BoolVar(&r.programs.Dovecot, "dovecot", false, "ask doveconf of this machine")
	flags.StringVar(&r.resolver, "resolver", "",
		"for a domain, ask the name server at `ADDRESS`, not that of this machine")
	flags.BoolVar(&r.private, "private", false,
		"for a domain, connect also to addresses that are not on the public internet")
	operands, err := parseFlags(e, flags, args, importUsage)
	if err != nil {
		return err
	}
	const hint = "signpost import -h explains the command"
	asksMachine := r.programs != machine.Programs{}
	switch {
	case len(operands) == 0 && !asksMachine:
		return usagef(hint, "import takes files, directories or domains, or -postfix and -dovecot")
	case len(operands) > 0 && asksMachine:
		return usagef(hint, "-postfix and -dovecot ask this machine, and files or domains do not go with them")
	case r.resolver != "" && !isNameServer(r.resolver):
		return usagef(hint, "-resolver takes an IP address, with or without a port")
	}
	if err := importer.MayWrite(r.out, r.force); err != nil {
		return err
	}
	if err := r.read(ctx, operands); err != nil {
		return err
	}
	return r.save(ctx)
}

// formatNames lists the formats, in lines for the help.
func formatNames() string {
	var lines []string
	line := ""
	for _, f := range format.All {
		if len(line)+len(f.Name) > 70 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + f.Name)
	}
	return strings.Join(append(lines, line), "\n")
}

// read reads all sources into the draft.
func (r *importRun) read(ctx context.Context, operands []string) error {
	if r.programs != (machine.Programs{}) {
		return machine.Read(ctx, r.programs, &r.draft)
	}
	var files []format.File
	for _, operand := range operands {
		if _, err := os.Lstat(operand); err == nil {
			more, err := r.importFiles(operand)
			if err != nil {
				return err
			}
			for _, file := range more {
				r.inFolder[file.Path] = file.Path != operand
			}
			files = append(files, more...)
			continue
		}
		domain, err := account.ParseDomain(operand)
		if err != nil || !strings.Contains(domain, ".") {
			return fmt.Errorf("%s is neither a file that exists nor a domain", operand)
		}
		if err := r.readDomain(ctx, domain); err != nil {
			return err
		}
	}
	return r.readFiles(files)
}

// readDomain asks the network about a domain, and prints what each witness says.
func (r *importRun) readDomain(ctx context.Context, domain string) error {
	o := network.Options{Private: r.private}
	o.Version, _ = buildVersion()
	o.Hello, _ = os.Hostname()
	if r.resolver != "" {
		o.Servers = []string{r.resolver}
	}
	asker, err := network.New(o)
	if err != nil {
		return err
	}
	s, err := living.Ask(ctx, asker, domain)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := s.WriteText(r.stderr); err != nil {
		return err
	}
	fmt.Fprintln(r.stderr)
	if !s.Found() && len(s.Unknown) > 0 {
		return fault.WithHint(fmt.Errorf("nobody who answered tells mail clients anything about %s, "+
			"and not everybody did", domain),
			"what is not known is listed above; try again when it answers")
	}
	if !s.Found() {
		return fault.WithHint(fmt.Errorf("nobody tells mail clients anything about %s", domain),
			"signpost init -domain "+domain+" asks the ports of the mail server, and you")
	}
	r.contradicted = r.contradicted || len(s.Contradictions) > 0
	s.Draft(&r.draft)
	for _, remark := range s.Disputed() {
		r.told[remark] = true
	}
	r.titles = append(r.titles, "what the network tells about "+domain)
	return nil
}

// readFiles reads files, each by its format.
func (r *importRun) readFiles(files []format.File) error {
	var unknown []string
	byFormat := map[string][]format.File{}
	for _, file := range files {
		f, ok := r.formatOf(file)
		switch {
		case ok:
			byFormat[f.Name] = append(byFormat[f.Name], file)
		case r.format != "":
			return usagef("signpost import -h lists the formats", "there is no format %q", r.format)
		case r.inFolder[file.Path]:
			unknown = append(unknown, file.Path)
		default:
			return unknownFormat(file.Path)
		}
	}
	if len(unknown) > 0 && len(byFormat) == 0 {
		return unknownFormat(unknown...)
	}
	const most = 10
	for i, path := range unknown {
		if i == most {
			r.draft.Lose(draft.Place{File: path}, "it and %d other files are in no format that import knows",
				len(unknown)-most-1)
			break
		}
		r.draft.Lose(draft.Place{File: path}, "it is in no format that import knows")
	}
	for _, f := range format.All {
		if len(byFormat[f.Name]) == 0 {
			continue
		}
		if err := f.Read(byFormat[f.Name], &r.draft); err != nil {
			return err
		}
		r.titles = append(r.titles, f.Title)
	}
	return nil
}

func unknownFormat(paths ...string) error {
	what := paths[0] + " is"
	if len(paths) > 1 {
		what = fmt.Sprintf("%s and %d other files are", paths[0], len(paths)-1)
	}
	return fault.WithHint(fmt.Errorf("%s in no format that import knows", what),
		"-format NAME says which it is; signpost import -h lists them")
}

func (r *importRun) formatOf(file format.File) (format.Format, bool) {
	for _, f := range format.All {
		if r.format == f.Name || r.format == "" && f.Is(file) {
			return f, true
		}
	}
	return format.Format{}, false
}

// save writes the configuration, and tells what came of it.
func (r *importRun) save(ctx context.Context) error {
	if len(r.titles) > 1 || r.draft.Title == "" {
		r.draft.Title = strings.Join(r.titles, " and ")
	}
	proof, err := importer.Save(ctx, r.out, r.force, &r.draft)
	if err != nil {
		return err
	}
	lines := func(title string, items []string) {
		if len(items) == 0 {
			return
		}
		fmt.Fprintf(r.stderr, "\n%s\n", title)
		for _, item := range items {
			fmt.Fprintf(r.stderr, "  - %s\n", strings.Join(importer.Wrap(item, 74), "\n    "))
		}
	}
	proved := fmt.Sprintf("Proved: %d domains are told the same servers as by the source.", proof.Domains)
	switch proof.Domains {
	case 0:
		proved = "Its domains come from its accounts, so there was none to compare."
	case 1:
		proved = "Proved: 1 domain is told the same servers as by the source."
	}
	fmt.Fprintf(r.stdout, "%s is written. %s\n", r.out, proved)
	var guesses, lost []string
	for _, p := range r.draft.Products {
		guesses = append(guesses, p.Guesses...)
	}
	for _, remark := range r.draft.Lost {
		if r.told[remark] {
			continue
		}
		lost = append(lost, remark.Place.String()+": "+remark.Text)
	}
	lines("Guessed:", guesses)
	lines("Not carried over:", lost)
	lines("Yours to do:", r.draft.Hints)
	fmt.Fprintf(r.stderr, "\nNext:\n  signpost check -config %s\n", r.out)
	if r.contradicted {
		return errFound
	}
	return nil
}
