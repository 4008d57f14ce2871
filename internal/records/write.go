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

// Writer prints domains one after the other and never holds more than one. Close ends
// the document and leaves the underlying writer open.
type Writer interface {
	Write(Domain) error
	Close() error
}

// NewWriter returns a Writer for one of the Formats.
func NewWriter(w io.Writer, format string) (Writer, error) {
	to := bufio.NewWriterSize(w, 64<<10)
	switch format {
	case "zone":
		return &textWriter{to: to, appendDomain: appendZone, between: "\n"}, nil
	case "nsupdate":
		return &textWriter{to: to, appendDomain: appendUpdate}, nil
	case "octodns":
		return &textWriter{to: to, appendDomain: appendOctoDNS}, nil
	case "json":
		return &jsonWriter{to: to}, nil
	}
	return nil, fmt.Errorf("unknown format %q: it is one of %s", format, strings.Join(Formats, ", "))
}

// textWriter prints a format in which domains simply follow each other.
type textWriter struct {
	to           *bufio.Writer
	appendDomain func([]byte, Domain) []byte
	between      string
	buffer       []byte
	begun        bool
}

func (w *textWriter) Write(d Domain) error {
	w.buffer = w.buffer[:0]
	if w.begun {
		w.buffer = append(w.buffer, w.between...)
	}
	w.begun = true
	w.buffer = w.appendDomain(w.buffer, d)
	_, err := w.to.Write(w.buffer)
	return err
}

func (w *textWriter) Close() error { return w.to.Flush() }

// appendZone appends lines of a zone file (RFC 1035 §5), with the reasons as comments.
// The names are absolute, so the lines fit below any $ORIGIN.
func appendZone(b []byte, d Domain) []byte {
	b = append(append(b, "; "...), d.Name...)
	b = append(b, '\n')
	for _, r := range d.Records {
		b = r.AppendLine(b)
		if r.Reason != "" {
			b = append(append(b, " ; "...), r.Reason...)
		}
		b = append(b, '\n')
	}
	return appendNotes(b, d, "; ")
}

func appendNotes(b []byte, d Domain, comment string) []byte {
	for _, note := range d.Notes {
		b = append(append(b, comment...), note...)
		b = append(b, '\n')
	}
	return b
}

// appendUpdate appends input for nsupdate(1), which finds the zone itself. The input
// replaces the records that the names had before, whoever wrote them. Package publish
// is the careful way. There are no empty lines, as nsupdate would send everything
// before such a line.
func appendUpdate(b []byte, d Domain) []byte {
	b = fmt.Appendf(b, "; %s\n", d.Name)
	b = appendNotes(b, d, "; ")
	for i, r := range d.Records {
		if i == 0 || r.Name != d.Records[i-1].Name {
			b = fmt.Appendf(b, "; %s\n", r.Reason)
			for _, recordType := range TypesAt(strings.TrimSuffix(r.Name, "."+d.Name)) {
				b = fmt.Appendf(b, "update delete %s. %s\n", r.Name, recordType)
			}
		}
		b = r.AppendLine(append(b, "update add "...))
		b = append(b, '\n')
	}
	if len(d.Records) > 0 {
		b = append(b, "send\n"...)
	}
	return b
}

// jsonWriter prints one array with an object per domain.
type jsonWriter struct {
	to    *bufio.Writer
	begun bool
}

func (w *jsonWriter) Write(d Domain) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	before := ",\n"
	if !w.begun {
		before = "[\n"
		w.begun = true
	}
	w.to.WriteString(before)
	_, err = w.to.Write(text)
	return err
}

func (w *jsonWriter) Close() error {
	after := "\n]\n"
	if !w.begun {
		after = "[]\n"
	}
	w.to.WriteString(after)
	return w.to.Flush()
}
