package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Fault is something that is wrong or suspicious in a configuration, and where.
type Fault struct {
	File string
	Line int // 0 where the file as a whole is meant
	Text string
}

// String is the form that editors and people jump from: file.yaml:31: text.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// Faults is everything that keeps a configuration from being used, in the order
// of the file. An operator mends them in one go instead of one a run.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// A generated file that is wrong is mostly wrong in the same way everywhere.
const (
	maxFaults = 100  // are told
	maxKept   = 1000 // are kept until they can be ordered
)

// ordered brings faults into the order of the main file and then of the other
// files, and says each once.
func ordered(faults []Fault, mainFile string, untold int) Faults {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if a.File != b.File {
			switch mainFile {
			case a.File:
				return -1
			case b.File:
				return 1
			}
			return strings.Compare(a.File, b.File)
		}
		return cmp.Compare(a.Line, b.Line)
	})
	faults = slices.Compact(faults)
	if more := len(faults) - maxFaults + untold; more > 1 {
		faults = append(faults[:maxFaults:maxFaults], Fault{mainFile, 0, fmt.Sprintf("and %d more like these", more)})
	}
	return faults
}

// quote shows an operator's own text in a message: on one line, not endless.
func quote(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return strconv.Quote(text)
	}
	return `"` + text + `"` // a backslash as it was written
}
