package autodiscover

import (
	"github.com/beevik/etree"

	"signpost/account"
)

// mapiHeader is the header by which Outlook 2013 SP1 and later say that they can speak
// MAPI over HTTP ([MS-OXDSCLI] 2.2.2). Programs that use Exchange Web Services do not
// send it.
const mapiHeader = "X-MapiHttpCapability"

// Exchange returns the answer in Outlook's schema for a program that is not Outlook: with
// the entries of an Exchange server before the servers for mail, if the EWS server has
// ExchangeEntries. The errors are those of Outlook.
func Exchange(s account.Settings) ([]byte, error) {
	return new(documents).write(s, form{nsOutlook, true})
}

// writeExchange writes the template of Exchange.
func writeExchange(s account.Settings) ([]byte, error) {
	servers, err := outlookServers(s)
	server, noEWS := ewsServer(s)
	switch {
	case noEWS == nil && server.ExchangeEntries:
		return writeProtocols(s, servers, &server)
	case err != nil && noEWS == nil:
		return nil, &Error{Code: NotAvailable, Reason: "autodiscover.xml names the ews server only with " +
			"exchangeEntries: true, because old versions of Outlook cannot be told from Exchange programs, " +
			"and take an Exchange server that they cannot use"}
	case err != nil:
		return nil, err
	}
	return writeProtocols(s, servers, nil)
}

// addExchange writes the entries of an Exchange server. They hold no server for MAPI, and
// nothing that a client of Exchange Web Services does without.
//
// EXCH is read by Thunderbird, which takes EwsUrl, and EXPR before EXCH by exchangelib 4
// (EwsUrl) and Evolution (ASUrl, which is the same URL by another name). Macs take EXCH for
// a server inside and EXPR for one outside. They stand before IMAP because Thunderbird
// writes what it reads in EXCH over the server before it
// (ExchangeAutoDiscover.sys.mjs); it prefers IMAP all the same. DavMail reads line by line
// and wants EwsUrl on one.
func addExchange(acc *etree.Element, s *account.Server) {
	for _, name := range [...]string{"EXCH", "EXPR"} {
		protocol := acc.CreateElement("Protocol")
		add(protocol, "Type", name)
		add(protocol, "ASUrl", s.URL)
		add(protocol, "EwsUrl", s.URL)
	}
}

// ewsServer returns the server of Exchange Web Services that a client can be told about in
// answers that have no place for a login.
func ewsServer(s account.Settings) (account.Server, error) {
	reason := "the provider has no ews server, its servers are: " + typeNames(s.Servers)
	for _, server := range s.Servers {
		switch {
		case server.Type != account.EWS:
		case !isHTTPS(server.URL):
			reason = "the URL of the ews server is not https"
		case lacksMailbox(s, server):
			reason = "the URL of the ews server needs a mailbox, and none was given"
		case answersWithoutLogin(s, server):
			return server, nil
		default:
			reason = "the ews server wants another login than the address, and Autodiscover has no place for it " +
				"(answerWithoutLogin answers anyway)"
		}
	}
	return account.Server{}, &Error{Code: NotAvailable, Reason: reason}
}

// mayHaveSOAP reports whether SOAP is answered for mailboxes that were resolved by Host.
// If Host tells nothing, because it is not the name of a domain or the mailboxes of the
// domain differ, exchange decides: whether there are Exchange servers at all.
func mayHaveSOAP(s account.Settings, err error, exchange bool) bool {
	if err != nil || redirectOf(s) != nil {
		return err != nil && exchange
	}
	_, err = ewsServer(s)
	return err == nil
}
