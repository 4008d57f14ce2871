package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"signpost/internal/importer/town"
)

// autoconfigAt is the document of a domain whose mail is at a host.
func autoconfigAt(host string) town.Page {
	return town.Page{Body: fmt.Sprintf(`<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="udde">
<domain>udde.example</domain><displayName>Udde Mail</displayName>
<incomingServer type="imap"><hostname>%s</hostname><port>993</port><socketType>SSL</socketType>
<username>%%EMAILLOCALPART%%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>%[1]s</hostname><port>465</port><socketType>SSL</socketType>
<username>%%EMAILLOCALPART%%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>`, host)}
}

// startDomains starts an internet with domains of four kinds: udde.example and vik.example are healthy, of tom.example there
// is a mail server and nothing else, stora.example is at Microsoft 365, and of tvist.example two
// witnesses say different things. There is nothing of borta.example.
func startDomains(t *testing.T) *town.Town {
	internet := town.Start(t,
		map[string]town.Page{
			"GET https://autoconfig.udde.example/mail/config-v1.1.xml":  autoconfigAt("mail.udde.example"),
			"GET https://autoconfig.vik.example/mail/config-v1.1.xml":   autoconfigAt("mail.udde.example"),
			"GET https://autoconfig.tvist.example/mail/config-v1.1.xml": autoconfigAt("mail.gammal.example"),
		},
		"autoconfig.udde.example. 300 IN A $ADDRESS", "mail.udde.example. 300 IN A $ADDRESS",
		"autoconfig.vik.example. 300 IN A $ADDRESS",
		"tom.example. 300 IN MX 10 mail.tom.example.", "mail.tom.example. 300 IN A $ADDRESS",
		"stora.example. 300 IN MX 0 stora-example.mail.protection.outlook.com.",
		"autodiscover.stora.example. 300 IN CNAME autodiscover.outlook.com.",
		"outlook.office365.com. 300 IN A $ADDRESS", "smtp.office365.com. 300 IN A $ADDRESS",
		"autoconfig.tvist.example. 300 IN A $ADDRESS", "mail.gammal.example. 300 IN A 127.0.0.1",
		"_imaps._tcp.tvist.example. 300 IN SRV 0 1 993 mail.ny.example.", "mail.ny.example. 300 IN A $ADDRESS",
	)
	for _, port := range []int{993, 465, 587} {
		internet.Mail(t, port, "PLAIN LOGIN XOAUTH2")
	}
	return internet
}

// TestInit runs init at a terminal and without one, and other commands with what it wrote.
func TestInit(t *testing.T) { runInit(t, startDomains(t)) }

// TestInitNamed does so with BIND in place of the name server in Go.
func TestInitNamed(t *testing.T) {
	internet := startDomains(t)
	internet.UseBIND(t)
	runInit(t, internet)
}

func runInit(t *testing.T, internet *town.Town) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/init", UpdateScripts: os.Getenv("UPDATE_GOLDEN") == "1",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DNS", internet.Resolver)
			e.Setenv("SSL_CERT_FILE", internet.CAFile)
			return nil
		},
	})
}

// TestInitDocument checks that docs/first-customer.md shows what init asks and what it writes, as the
// tests of package start have it.
func TestInitDocument(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	document := read("../../docs/first-customer.md")
	dialogue, _, _ := strings.Cut(read("../../internal/importer/start/testdata/first-customer.golden"), "\n----\n")
	for what, want := range map[string]string{
		"dialogue": "```text\n" + dialogue + "```\n",
		"file":     "```yaml\n" + read("../../internal/importer/start/testdata/first-customer.yaml") + "```\n",
	} {
		if !strings.Contains(trimLines(document), trimLines(want)) {
			t.Errorf("docs/first-customer.md has not the %s of init:\n%s", what, want)
		}
	}
}

// trimLines removes white space at the ends of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
