package main

import (
	"fmt"
	"os"
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

// startDomains starts an internet with domains of four kinds: udde.example is healthy, of tom.example there
// is a mail server and nothing else, stora.example is at Microsoft 365, and of tvist.example two
// witnesses say different things. There is nothing of borta.example.
func startDomains(t *testing.T) *town.Town {
	internet := town.Start(t,
		map[string]town.Page{
			"GET https://autoconfig.udde.example/mail/config-v1.1.xml":  autoconfigAt("mail.udde.example"),
			"GET https://autoconfig.tvist.example/mail/config-v1.1.xml": autoconfigAt("mail.gammal.example"),
		},
		"autoconfig.udde.example. 300 IN A $ADDRESS", "mail.udde.example. 300 IN A $ADDRESS",
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
func TestInit(t *testing.T) {
	internet := startDomains(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/init", UpdateScripts: os.Getenv("UPDATE_GOLDEN") == "1",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DNS", internet.Resolver)
			e.Setenv("SSL_CERT_FILE", internet.CAFile)
			return nil
		},
	})
}
