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

// A generated file with a fault usually has the same fault on every line.
const (
	maxReported = 100
	maxKept     = 1000 // until they can be sorted
)

// sorted returns each fault once: those of the main file first, then those of the
// other files, by line. dropped counts the faults that were not kept.
func sorted(faults []fault.Fault, mainFile string, dropped int) fault.List {
	slices.SortStableFunc(faults, func(a, b fault.Fault) int {
		switch {
		case a.File == b.File:
			return cmp.Compare(a.Line, b.Line)
		case a.File == mainFile:
			return -1
		case b.File == mainFile:
			return 1
		}
		return strings.Compare(a.File, b.File)
	})
	faults = slices.Compact(faults)
	if more := len(faults) - maxReported + dropped; more > 1 {
		rest := fault.Fault{File: mainFile, Text: fmt.Sprintf("and %d more like these", more)}
		faults = append(faults[:maxReported:maxReported], rest)
	}
	return faults
}

// quote returns the operator's own text as a message shows it: on one line and not
// too long. A backslash stays as it was written.
func quote(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
		if strings.ContainsRune(string(runes[most:]), '@') {
			text += "@…" // a log leaves out what stands before an @
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return strconv.Quote(text)
	}
	return `"` + text + `"`
}
