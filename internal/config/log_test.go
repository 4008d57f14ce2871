package config

import (
	"errors"
	"strings"
	"testing"

	"signpost/internal/fault"
)

// TestFaultsForLog checks what a log says of faults in which an operator's file names
// people: the place, without their names, which stay in the text that check prints.
func TestFaultsForLog(t *testing.T) {
	const providers = "providers:\n  - id: p\n    displayName: P\n    domains: [example.com]\n" +
		"    servers: [{type: imap, hostname: a.example.com}, {type: smtp, hostname: a.example.com, port: 465}]\n"
	const mx = "    mx: [mx.example.com]\n"
	long := strings.Repeat("annalong", 20)
	for _, row := range []struct{ name, text, check, log string }{
		{"provider", providers + "accounts:\n  - list:\n      anna@example.com: {provider: bo}\n",
			`x.yaml:8: accounts[0].list.anna@example.com.provider: there is no provider "bo"`,
			"x.yaml:8: accounts[0].list.…@example.com.provider: is wrong; signpost check says why"},
		{"alias", providers + "accounts:\n  - list:\n      anna@example.com: {alias: anna}\n",
			`"anna" is not a mail address`, "x.yaml:8: accounts[0].list.…@example.com.alias: is wrong; signpost check says why"},
		{"alias by MX", providers + mx + "accounts:\n  - list:\n      anna@example.com: {alias: anna@example.net}\n",
			"accounts[0].list.anna@example.com.alias: no provider lists the domain example.net",
			"x.yaml:9: accounts[0].list.…@example.com.alias: looks wrong; signpost check says why"},
		{"user name", providers + "accounts:\n  - list:\n      anna@example.com: {username: [anna]}\n",
			"anna@example.com.username", "x.yaml:8: accounts[0].list.…@example.com.username: is wrong; signpost check says why"},
		{"local part in quotation marks", providers + "accounts:\n  - list:\n      '\"anna ek\"@example.net': {}\n",
			"anna ek", `x.yaml:8: accounts[0].list.…@example.net: is wrong; signpost check says why`},
		{"key", providers + "accounts:\n  - list:\n      anna: {}\n",
			"anna", "x.yaml:8: accounts[0].list.…: is wrong; signpost check says why"},
		{"twice", providers + "accounts:\n  - list:\n      anna@example.com: {}\n      anna@example.com: {}\n",
			`"anna@example.com" appears twice`, "x.yaml:9: accounts[0].list: is wrong; signpost check says why"},
		{"source", providers + "accounts:\n  - anna@example.com: {}\n",
			"anna@example.com", `x.yaml:7: accounts[0]: unknown key "…@example.com"`},
		{"domain", strings.Replace(providers, "[example.com]", "[anna@example.com]", 1),
			`"anna@example.com"`, `x.yaml:4: providers[0].domains[0]: "…@example.com" `},
		{"YAML", providers + "x: @anna@example.com\n", `"@anna@example.com"`, `not valid YAML: a value cannot begin with @, quote it`},
		{"anchor", providers + "accounts:\n  - list:\n      &anna bo@example.com: {}\n", `anchor "&anna"`,
			"x.yaml:8: anchor: YAML anchors are not supported"},
		{"unknown anchor", providers + "accounts:\n  - list: *anna\n", `quote it: "*anna"`,
			"x.yaml:7: not valid YAML: a value cannot begin with *, quote it"},
		{"tag", providers + "accounts:\n  - list: !anna {}\n", `tag "!anna"`, "x.yaml:7: tag: YAML tags are not supported"},
		{"blank in the local part", providers + "accounts:\n  - anna maria@example.com\n", `"anna maria@example.com"`,
			`x.yaml:7: accounts[0]: "…@example.com" is not a mapping`},
		{"misplaced key with a blank", providers + "accounts:\n  - anna maria@example.com: {}\n", `"anna maria@example.com"`,
			`x.yaml:7: accounts[0]: unknown key "…@example.com"`},
		{"domain with a blank", strings.Replace(providers, "[example.com]", "[anna maria@example.com]", 1),
			`"anna maria@example.com"`, `x.yaml:4: providers[0].domains[0]: "…@example.com" `},
		{"key of the file with a blank", providers + "anna maria@example.com: {}\n", `"anna maria@example.com"`,
			`x.yaml:6: unknown key "…@example.com"`},
		{"too long to be shown", providers + long + "@example.com: {}\n", "annalong", `x.yaml:6: unknown key "…@…"`},
	} {
		c, err := parse("x.yaml", []byte(row.text))
		faults, _ := errors.AsType[fault.List](err)
		if err == nil {
			faults = c.Warnings
		}
		if len(faults) == 0 {
			t.Errorf("%s: there is no fault", row.name)
			continue
		}
		logged := fault.ForLog(faults).Error()
		if !strings.Contains(faults.Error(), row.check) {
			t.Errorf("%s: check says %q, want %q in it", row.name, faults, row.check)
		}
		if !strings.Contains(logged, row.log) || strings.Contains(logged, "anna") {
			t.Errorf("%s: the log says %q, want %q, and the name nowhere", row.name, logged, row.log)
		}
	}
}
