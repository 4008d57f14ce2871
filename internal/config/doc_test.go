package config

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentedKeys compares the table of the package comment with the keys
// that the parser knows. Keys that only hold others need no line of their own.
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
	known = append(known, under("providers[].domains.", domainFileKeys)...)
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
	known = append(known, under("accounts[].", sourceKeys)...)
	known = append(known, under("accounts[].list.‹address›.", entryKeys)...)

	documented := documentedKeys(t)
	for i, key := range documented {
		// What stands for a word of the operator's own is no key itself.
		if strings.HasSuffix(key, "›") {
			documented[i] = key[:strings.LastIndexByte(key, '.')]
		}
	}
	for _, key := range known {
		if !slices.Contains(documented, key) && slices.ContainsFunc(documented, func(d string) bool { return strings.HasPrefix(d, key+".") }) {
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

func documentedKeys(t *testing.T) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(file.Doc.Text()) {
		key, rest, ok := strings.Cut(strings.TrimPrefix(line, "\t"), " ")
		if !strings.HasPrefix(line, "\t") || key == "key" {
			continue
		}
		if meaning := strings.TrimSpace(rest); !ok || meaning == "" {
			t.Errorf("%s has no meaning", key)
		}
		documented = append(documented, key)
	}
	if len(documented) < 40 {
		t.Fatalf("the table of doc.go has %d keys", len(documented))
	}
	return documented
}
