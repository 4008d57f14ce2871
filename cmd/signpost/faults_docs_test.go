package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"signpost/internal/doctor/finding"
)

// faultTables matches all tables of docs/doctor/faults.md, with their headings.
var faultTables = regexp.MustCompile(`(?s)^(.*?\n)(## DNS\n.*)$`)

// faultKinds are the kinds of faults by the first letter of their IDs, in the order of the document.
var faultKinds = []struct{ letter, heading string }{
	{"D", "DNS"}, {"H", "Web servers"}, {"T", "Certificates and TLS"}, {"C", "Documents"}, {"M", "Mail servers"},
	{"A", "Accounts"}, {"K", "Clients"},
}

// faultRows returns the catalogue of faults as Markdown tables.
func faultRows() []byte {
	cell := strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`)
	var b bytes.Buffer
	for _, kind := range faultKinds {
		rows := 0
		for _, f := range finding.Catalogue {
			if f.ID[:1] != kind.letter {
				continue
			}
			if rows++; rows == 1 {
				fmt.Fprintf(&b, "## %s\n\n| | fault | usually | cause | cure | hits |\n|---|---|---|---|---|---|\n",
					kind.heading)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
				f.ID, cell.Replace(f.Title), f.Severity, cell.Replace(f.Cause),
				cell.Replace(f.Cure), cell.Replace(f.Who))
		}
		if rows > 0 {
			b.WriteByte('\n')
		}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// TestFaultKinds holds that every fault of the catalogue is in a table of the document.
func TestFaultKinds(t *testing.T) {
	rows := faultRows()
	for _, f := range finding.Catalogue {
		if !bytes.Contains(rows, []byte("\n| "+f.ID+" |")) {
			t.Errorf("fault %s belongs to no kind of the document", f.ID)
		}
	}
}
