package format

import (
	"errors"
	"strings"
	"testing"
	"time"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// byName returns a format.
func byName(t *testing.T, name string) Format {
	t.Helper()
	for _, f := range All {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no format %q", name)
	return Format{}
}

// TestBroken reads files that are cut off, damaged or hostile. Each is refused with file and line.
func TestBroken(t *testing.T) {
	const bomb = `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><clientConfig>&b;</clientConfig>`
	for _, row := range []struct{ format, text, want string }{
		{"autoconfig", "<clientConfig>\n<emailProvider>\n<domain>a.example", "file:3: the document ends inside <domain>"},
		{"autoconfig", "<clientConfig>\n<emailProvider></clientConfig>", "file:2: </clientConfig> comes where <emailProvider> of line 2 is not closed"},
		{"autoconfig", bomb, "file: the document has a DOCTYPE, which no autoconfig document has"},
		{"autoconfig", "<html/>", "file:1: the document does not begin with <clientConfig>"},
		{"autoconfig", "<clientConfig></clientConfig>", "file:1: the document has no <emailProvider>"},
		{"autoconfig", "<?xml version='1.0' encoding='utf-8'?><clientConfig>\xe5</clientConfig>", "file:1: invalid UTF-8"},
		{"autoconfig", strings.Repeat("<a>", 100_000), "file:1: there are too many elements"},
		{"automx2-seed", "{\n\"provider\": \"A\",\n\"domains\": [", "file:3: the document ends too early"},
		{"automx2-seed", "{\n\"provider\": \"A\",\n\"domains\": ]", "file:3: invalid character ']' looking for beginning of value"},
		{"automx2-seed", "{} {}", "file:1: there is more behind the end of the document"},
		{"automx2-seed", `{"version": 3, "provider": "A", "domains": []}`, `file:1: the seed file has version "3", and only 2 is known`},
		{"automx2-seed", "[]", "file:1: the document is not an object"},
		{"automx2-seed", strings.Repeat("[", 100_000), "file:1: there are too many values within one another"},
		{"automx2-seed", "\xff\xfe{\x00}\x00", "file: the file is in UTF-16; save it in UTF-8"},
		{"automx2-seed", "{\"provider\":\n\"\xe5\"}", "file:2: the line is not in UTF-8"},
		{"automx2-db", "CREATE TABLE server_domain (a);\nINSERT INTO provider VALUES (1,'A", "file:2: the text that begins in line 2 does not end"},
		{"automx2-db", "CREATE TABLE server_domain (a);\nINSERT INTO provider VALUES (1", "file:2: the file ends in the middle of a statement"},
		{"automx2-db", "CREATE TABLE server_domain (a);", "file: automx2's table provider is missing or empty"},
		{"automx2-db", "COPY server_domain (a) FROM stdin;\n1\n", "file:3: the rows of table server_domain do not end"},
		{"automx2-db", "CREATE TABLE t (a); /* x", "file:1: a comment does not end"},
		{"automx", "[automx\n", "file:1: the name of the section does not end with ]"},
		{"automx", "a = b\n[automx]", "file:1: a key stands before the first section"},
		{"automx", "[automx]\nnonsense", "file:2: the line is neither a section nor a key with a value"},
		{"automx", "[global]\na = b", "file:1: there is no section [automx]"},
		{"automx", "[automx]\ndomains = a.example\n[a.example]\nbackend = static\nfollow = b\n[b]\nbackend = static\nfollow = a.example", "file:3: the sections that [a.example] follows lead in a circle"},
		{"automx", "[automx]\ndomains = a.example\n[a.example]\nbackend = static\nfollow = c", "file:3: there is no section [c], which [a.example] follows"},
		{"automx", "[automx]\ndomains = *\n[global]\n", "file:2: domains = * names no domain: write those that you host in its place, and import again"},
		{"monogramm", "IMAP_HOST=a\nnonsense here", "file:2: the line is no NAME=VALUE"},
		{"monogramm", "COMPANY_NAME=\"Ek", "file:1: the value of COMPANY_NAME has a quotation mark that does not end in its line"},
		{"monogramm", "services: {a: {environment: &x {}, b: *x}}", "file:1: anchors, aliases and merges are not read; write the values out, or import what `docker compose config` prints"},
		{"monogramm", "services: {a: {environment:\n", "file:1: did not find expected node content"},
		{"monogramm", "services: {a: {env_file: [a.env]}}", "file:1: the variables stand in a.env: import that file instead, or import what `docker compose config` prints"},
		{"monogramm", "services: {a: {environment: {IMAP_HOST: a}}}", "file:1: no service sets IMAP_HOST and SMTP_HOST in its environment"},
		{"monogramm", "services:\n a:\n  environment:\n  - IMAP_HOST=imap.${DOMAIN}\n  - SMTP_HOST=s", "file:4: IMAP_HOST has ${DOMAIN}, which Compose takes from elsewhere: import what `docker compose config` prints"},
		{"monogramm", "services:\n a:\n  environment:\n  - IMAP_HOST\n  - SMTP_HOST=s", "file:4: IMAP_HOST has no value here, and Compose takes it from elsewhere: import what `docker compose config` prints"},
		{"monogramm", "services: {a: {environment: {IMAP_HOST: , SMTP_HOST: s}}}", "file:1: IMAP_HOST has no value here, and Compose takes it from elsewhere: import what `docker compose config` prints"},
		{"monogramm", "IMAP_HOST=imap.$DOMAIN\nDOMAIN=a.example", "file:1: IMAP_HOST has $DOMAIN, which the lines above do not set: write what it stands for"},
		{"monogramm", "IMAP_HOST=$(hostname)", "file:1: IMAP_HOST has the output of a command, which the lines above do not set: write what it stands for"},
		{"monogramm", "COMPANY_NAME=\"Ek\" Co", "file:1: more follows the quotation marks of COMPANY_NAME"},
		{"monogramm", "export A=1 b-c", "file:1: the line is no NAME=VALUE"},
		{"mailcow", "MAILCOW_HOSTNAME=a\n--8<--\nMAILCOW_HOSTNAME=b", "file: there are two mailcow.conf; import each into a configuration of its own"},
		{"mailcow", "<?php $autodiscover_config = array(", "file: mailcow.conf is needed, too: it names the host"},
		{"solarssk", "domains: []", "file:1: domains is not a mapping"},
		{"solarssk", "domains:\n  a.example: {}\n  a.example: {}", "file:3: the key a.example comes twice"},
		{"solarssk", "a: 1\n---\nb: 2", "file: there is more than one document in the file"},
		{"solarssk", "", "file:1: the document is empty"},
		{"solarssk", strings.Repeat("[", 200), "file:1: did not find expected node content"},
		{"go-autoconfig", "imap: {<<: {a: b}}", "file:1: anchors, aliases and merges are not read; write the values out"},
		{"mox", "Domains:\n\ta.example: nil\n", "file: both are needed: mox.conf says where mox listens, and domains.conf for whom"},
		{"mobileconfig", "<plist><dict>\n<key>PayloadContent</key><array/></dict></plist>", "file:1: not a profile: its PayloadType is not Configuration"},
		{"mobileconfig", "0\x80<?xml <plist PayloadContent", "file: the profile is signed in a way that cannot be read; export it without a signature"},
	} {
		var d draft.Draft
		began := time.Now()
		var files []File
		for part := range strings.SplitSeq(row.text, "\n--8<--\n") {
			files = append(files, File{Path: "file", Data: []byte(part)})
		}
		err := byName(t, row.format).Read(files, &d)
		list, ok := errors.AsType[fault.List](err)
		if got := ""; !ok || list.Error() != row.want {
			if err != nil {
				got = err.Error()
			}
			t.Errorf("%s: reading %.60q: %q, want %q", row.format, row.text, got, row.want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: reading %.60q took %v", row.format, row.text, took)
		}
	}
}

// TestMailcowComment reads a file of PHP in which the settings stand in a comment only.
func TestMailcowComment(t *testing.T) {
	var d draft.Draft
	if err := byName(t, "mailcow").Read([]File{
		{Path: "mailcow.conf", Data: []byte("MAILCOW_HOSTNAME=mail.a.example\n")},
		{Path: "vars.local.inc.php", Data: []byte("<?php\n// $autodiscover_config = [];\n")},
	}, &d); err != nil {
		t.Error(err)
	}
}
