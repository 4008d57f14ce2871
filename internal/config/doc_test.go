package config

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentedKeys compares the table of the package comment with the keys that the
// parser reads. A key that only contains others needs no row.
func TestDocumentedKeys(t *testing.T) {
	known := under("", topKeys)
	known = append(known, under("profiles.", pairKeys)...)
	known = append(known, under("dns.", dnsKeys)...)
	known = append(known, under("dns.updates[].", updateKeys)...)
	known = append(known, under("dns.updates[].key.", tsigKeys)...)
	known = append(known, under("admin.", adminKeys)...)
	known = append(known, under("limits.", limitKeys)...)
	known = append(known, under("log.", logKeys)...)
	known = append(known, under("tls.", tlsKeys)...)
	known = append(known, under("tls.certificates[].", pairKeys)...)
	known = append(known, under("tls.acme.", acmeKeys)...)
	known = append(known, under("providers[].", providerKeys)...)
	known = append(known, under("providers[].domains.", domainKeys)...)
	known = append(known, under("providers[].servers.", sharedKeys)...)
	known = append(known, under("providers[].servers[].", serverKeys)...)
	known = append(known, under("providers[].servers[].clients.‹client›.", loginKeys)...)
	known = append(known, under("providers[].documentation[].", documentationKeys)...)
	known = append(known, under("providers[].support.", supportKeys)...)
	known = append(known, under("providers[].support.contact.", contactKeys)...)
	known = append(known, under("providers[].support.sendingLimits.", sendingLimitKeys)...)
	known = append(known, under("providers[].notices[].", noticeKeys)...)
	known = append(known, under("branding.", brandingKeys)...)
	known = append(known, under("branding.contact.", contactKeys)...)
	known = append(known, under("providers[].oAuth2.", oAuth2Keys)...)
	known = append(known, under("providers[].autodiscover.", redirectKeys)...)
	for _, kind := range sourceKinds() {
		known = append(known, "accounts[]."+kind)
	}
	known = append(known, under("accounts[].list.‹address›.", entryKeys)...)
	known = append(known, "accounts[]") // a preset
	known = append(known, under("accounts[].‹source›.", storeKeys)...)
	known = append(known, under("accounts[].sql.", sqlKeys)...)
	known = append(known, under("accounts[].ldap.", ldapKeys)...)
	known = append(known, under("accounts[].ldap.attributes.", attributeKeys)...)
	known = append(known, under("accounts[].ldap.domainAttributes.", domainAttributeKeys)...)
	known = append(known, under("accounts[].postfix.", postfixKeys)...)
	known = append(known, under("accounts[].passwd.", passwdKeys)...)
	known = append(known, under("accounts[].dockermailserver.", dockerKeys)...)

	var documented []string
	for _, row := range documentedRows(t) {
		key := row.key
		if strings.HasSuffix(key, "›") { // a word of the operator's own is no key
			key = key[:strings.LastIndexByte(key, '.')]
		}
		documented = append(documented, key)
	}
	for _, key := range known {
		if !slices.Contains(documented, key) &&
			slices.ContainsFunc(documented, func(d string) bool { return strings.HasPrefix(d, key+".") }) {
			documented = append(documented, key)
		}
	}
	slices.Sort(known)
	slices.Sort(documented)
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("the table of doc.go differs from the keys (-known +documented):\n%s", diff)
	}
}

func under[T any](prefix string, k keys[T]) []string {
	names := k.names()
	for i, name := range names {
		names[i] = prefix + name
	}
	return names
}

// documentedRow is a row of the table in doc.go.
type documentedRow struct{ key, byDefault, meaning string }

func documentedRows(t *testing.T) []documentedRow {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var rows []documentedRow
	var second, third int // where the columns begin, in runes
	for line := range strings.Lines(file.Doc.Text()) {
		text, ok := strings.CutPrefix(line, "\t")
		if !ok {
			continue
		}
		runes := []rune(text)
		if second == 0 {
			second, third = strings.Index(text, "default"), strings.Index(text, "meaning")
			continue
		}
		cell := func(r []rune) string { return strings.TrimSpace(string(r)) }
		if last := len(rows) - 1; last >= 0 && len(runes) > third && cell(runes[:third]) == "" {
			rows[last].meaning += " " + cell(runes[third:]) // the row continues
			continue
		}
		if len(runes) <= third || cell(runes[second:third]) == "" || cell(runes[third:]) == "" {
			t.Errorf("a row of doc.go lacks its default or meaning: %s", text)
			continue
		}
		rows = append(rows, documentedRow{cell(runes[:second]), cell(runes[second:third]), cell(runes[third:])})
	}
	if len(rows) < 100 {
		t.Fatalf("the table of doc.go has %d keys, want at least 100", len(rows))
	}
	return rows
}
