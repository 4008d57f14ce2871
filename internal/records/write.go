package records

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Formats lists the formats in which records are printed.
var Formats = []string{"zone", "json", "nsupdate", "octodns"}

// Writer prints domains one after the other and never holds more than one.
type Writer struct {
	format
	to    *bufio.Writer
	begun bool
}

// format says how a domain is written, and what stands around and between domains.
type format struct {
	write               func(io.Writer, Domain) error
	begin, between, end string
	none                string // in place of all of that where there are no domains
}

var formats = map[string]format{
	"zone":     {write: writeZone, between: "\n"},
	"json":     {write: writeJSON, begin: "[\n", between: ",\n", end: "\n]\n", none: "[]\n"},
	"nsupdate": {write: writeUpdate},
	"octodns":  {write: writeOctoDNS},
}

// NewWriter returns a Writer for one of the Formats.
func NewWriter(w io.Writer, name string) (*Writer, error) {
	format, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("unknown format %q: it is one of %s", name, strings.Join(Formats, ", "))
	}
	return &Writer{format: format, to: bufio.NewWriterSize(w, 64<<10)}, nil
}

// Write prints one domain.
func (w *Writer) Write(d Domain) error {
	before := w.begin
	if w.begun {
		before = w.between
	}
	w.begun = true
	w.to.WriteString(before)
	return w.write(w.to, d)
}

// Close ends the document and leaves the underlying writer open.
func (w *Writer) Close() error {
	after := w.none
	if w.begun {
		after = w.end
	}
	w.to.WriteString(after)
	return w.to.Flush()
}

// writeZone writes lines of a zone file (RFC 1035 §5), with the reasons as comments.
// The names are absolute, so the lines fit below any $ORIGIN.
func writeZone(w io.Writer, d Domain) error {
	fmt.Fprintf(w, "; %s\n", d.Name)
	for _, r := range d.Records {
		fmt.Fprintf(w, "%s ; %s\n", r, r.Reason)
	}
	return writeNotes(w, d, "; ")
}

// writeNotes writes each note as a comment. Its error is also that of anything
// written before, as a bufio.Writer keeps its first error.
func writeNotes(w io.Writer, d Domain, comment string) error {
	var lines strings.Builder
	for _, note := range d.Notes {
		lines.WriteString(comment + note + "\n")
	}
	_, err := io.WriteString(w, lines.String())
	return err
}

// writeUpdate writes input for nsupdate(1), which finds the zone itself. The input
// replaces the records that the names had before, whoever wrote them. Package publish
// is the careful way. There are no empty lines, as nsupdate would send everything
// before such a line.
func writeUpdate(w io.Writer, d Domain) error {
	fmt.Fprintf(w, "; %s\n", d.Name)
	err := writeNotes(w, d, "; ")
	for i, r := range d.Records {
		if i == 0 || r.Name != d.Records[i-1].Name {
			fmt.Fprintf(w, "; %s\n", r.Reason)
			for _, recordType := range TypesAt(strings.TrimSuffix(r.Name, "."+d.Name)) {
				fmt.Fprintf(w, "update delete %s. %s\n", r.Name, recordType)
			}
		}
		fmt.Fprintf(w, "update add %s\n", r)
	}
	if len(d.Records) > 0 {
		_, err = io.WriteString(w, "send\n")
	}
	return err
}

func writeJSON(w io.Writer, d Domain) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
