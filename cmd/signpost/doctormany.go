package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"signpost/account"
	"signpost/internal/doctor"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
)

// many diagnoses the addresses of a file, and prints a line for each.
func (r *doctorRun) many(ctx context.Context) error {
	in := r.stdin
	if r.from != "-" {
		file, err := os.Open(r.from)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	kept, err := openKept(r.out, r.least)
	if err != nil {
		return err
	}
	defer kept.Close()
	list := &addressList{name: r.from, warn: func(text string) { fmt.Fprintf(r.stderr, "signpost: %s\n", text) }}
	run := doctor.Many{
		Options: r.options, AtOnce: r.atOnce,
		NewAsker: func() (probe.Asker, error) { return r.newNetwork() },
	}
	var sum doctorSummary
	for result := range run.Examine(ctx, list.read(in, kept.done)) {
		if result.Err != nil {
			return result.Err
		}
		report := result.Report
		if !r.verbose {
			report.Requests = nil
		}
		if err := kept.add(report); err != nil {
			return err
		}
		failed := report.Fails(r.least)
		sum.add(report, failed)
		if r.redact {
			report = report.Redacted()
		}
		r.progress("")
		if r.json {
			err = writeLine(r.stdout, report)
		} else {
			_, err = fmt.Fprintln(r.stdout, report.Line(failed))
		}
		if err != nil {
			return err
		}
		r.progress(sum.String())
	}
	r.progress("")
	if err := ctx.Err(); err != nil {
		return err
	}
	sum.before, sum.wrongBefore = kept.before, kept.wrong
	fmt.Fprintf(r.stderr, "signpost: %s\n", sum)
	if list.err != nil {
		return list.err
	}
	if sum.wrong+sum.wrongBefore+sum.incomplete+list.bad > 0 {
		return errFound
	}
	return nil
}

// writeLine writes a value as one line of JSON.
func writeLine(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// doctorSummary counts reports.
type doctorSummary struct {
	all, wrong, incomplete int
	before, wrongBefore    int // of an earlier run
}

func (s *doctorSummary) add(r *doctor.Report, failed bool) {
	s.all++
	switch {
	case r.Worst() == finding.Error, failed && r.Complete:
		s.wrong++
	case !r.Complete:
		s.incomplete++
	}
}

func (s doctorSummary) String() string {
	text := fmt.Sprintf("%d diagnosed: %d right, %d with faults", s.all, s.all-s.wrong-s.incomplete, s.wrong)
	if s.incomplete > 0 {
		text += fmt.Sprintf(", %d that could not be asked everything", s.incomplete)
	}
	if s.before > 0 {
		text += fmt.Sprintf("; %d were in the file of -out already, %d of them with faults", s.before, s.wrongBefore)
	}
	return text
}

// addressList reads addresses and domains, one on a line. Empty lines and those that begin
// with # do not count.
type addressList struct {
	name string
	warn func(string)
	bad  int   // lines that are neither
	err  error // why the list could not be read to its end
}

func (l *addressList) read(in io.Reader, done func(string) bool) iter.Seq[account.Address] {
	return func(yield func(account.Address) bool) {
		lines := bufio.NewScanner(in)
		for number := 1; lines.Scan(); number++ {
			text := strings.TrimSpace(lines.Text())
			if text == "" || text[0] == '#' {
				continue
			}
			address, err := doctorAddress(text)
			if err != nil { // the line may hold a person's name: it is not repeated
				l.warn(fmt.Sprintf("%s:%d is neither an address nor a domain", l.name, number))
				l.bad++
				continue
			}
			if !done(doctor.Name(address)) && !yield(address) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			l.err = fmt.Errorf("%s: %w", l.name, err)
		}
	}
}

// keptReports is the file of reports, one on a line as JSON, from which a run that was broken
// off goes on.
type keptReports struct {
	file   *os.File // nil if nothing is kept
	least  finding.Severity
	lines  int
	names  map[string]keptReport // also those of this run
	before int                   // addresses that were diagnosed before
	wrong  int                   // of these, with findings that count
}

// keptReport is what an earlier report said of an address.
type keptReport struct{ complete, failed, counted bool }

// openKept reads the reports of earlier runs. A line that was not written to its end is
// removed. Reports that are not complete do not count: their addresses are diagnosed again.
func openKept(name string, least finding.Severity) (*keptReports, error) {
	k := &keptReports{least: least, names: map[string]keptReport{}}
	if name == "" {
		return k, nil
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	k.file = file
	end, err := k.read()
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return k, nil
}

// read reads what the file has, and returns where its last whole line ends.
func (k *keptReports) read() (end int64, err error) {
	reader := bufio.NewReader(k.file)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		k.lines++
		var report doctor.Report
		if err := json.Unmarshal(line, &report); err != nil || report.Domain == "" {
			return end, fmt.Errorf("line %d is not a report: is this a file of another kind?", k.lines)
		}
		end += int64(len(line))
		name := report.Address
		if name == "" {
			name = report.Domain
		}
		k.names[name] = keptReport{complete: report.Complete, failed: report.Fails(k.least)}
	}
}

// done reports whether an address needs no diagnosis any more: it has a report, or was in
// the list before.
func (k *keptReports) done(name string) bool {
	report := k.names[name]
	if report.counted {
		return true
	}
	k.names[name] = keptReport{counted: true}
	if !report.complete {
		return false
	}
	k.before++
	if report.failed {
		k.wrong++
	}
	return true
}

// add writes a report.
func (k *keptReports) add(r *doctor.Report) error {
	if k.file == nil {
		return nil
	}
	return writeLine(k.file, r)
}

// Close closes the file.
func (k *keptReports) Close() error {
	if k.file == nil {
		return nil
	}
	return k.file.Close()
}
