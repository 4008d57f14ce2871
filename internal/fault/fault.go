// Package fault describes what is wrong with an operator's files, and what can
// be done about it.
package fault

import (
	"fmt"
	"strings"
)

// Fault is a problem in a file of the operator, with its place.
type Fault struct {
	File string
	Line int // 0 if the fault concerns the whole file
	Text string
	Log  string // in place of Text in a log, if that may show a mailbox; empty for Text
}

// String returns the fault in the form that editors can jump to:
// signpost.yaml:31: text.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// List is an error that holds every fault found, so that an operator can fix all
// of them at once rather than one per attempt.
type List []Fault

// Error returns the faults, one per line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
