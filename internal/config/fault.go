package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"signpost/internal/fault"
)

// A generated file that is wrong is mostly wrong in the same way everywhere.
const (
	maxFaults = 100  // are told
	maxKept   = 1000 // are kept until they can be ordered
)

// ordered brings faults into the order of the main file and then of the other
// files, and says each once.
func ordered(faults []fault.Fault, mainFile string, untold int) fault.List {
	slices.SortStableFunc(faults, func(a, b fault.Fault) int {
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
		faults = append(faults[:maxFaults:maxFaults], fault.Fault{File: mainFile, Line: 0, Text: fmt.Sprintf("and %d more like these", more)})
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
