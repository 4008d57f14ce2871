package autodiscover

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Outlook writes the answer to AcceptableResponseSchema outlook/responseschema/2006a
// ([MS-OXDSCLI]), which Outlook, Thunderbird, eM Client, Evolution and Delta Chat
// read. For settings of any mailbox of a domain it leaves out User and LoginName.
//
// The error is an *Error where there is nothing to tell, and a *Redirect where
// the client is sent to another service.
func Outlook(s account.Settings) ([]byte, error) {
	if h := handOver(s); h != nil {
		return outlookHandOver(s, h)
	}
	return outlookDocument(view{settings: s})
}

// outlookDocument writes the settings in the order in which Microsoft's
// documentation lists the elements ("POX Autodiscover response"; there is no
// published XML schema). All clients that we know look them up by name.
func outlookDocument(v view) ([]byte, error) {
	servers, err := outlookServers(v)
	if err != nil {
		return nil, err
	}
	doc, response := newDocument(nsOutlook)
	if address := v.address(); address != "" {
		// exchangelib fails without User. DisplayName becomes the sender's
		// name; the person's own is nothing for strangers.
		user := response.CreateElement("User")
		add(user, "DisplayName", address)
		add(user, "AutoDiscoverSMTPAddress", address)
	}
	acc := response.CreateElement("Account")
	add(acc, "AccountType", "email")
	add(acc, "Action", "settings")
	for _, server := range servers {
		addProtocol(acc, v, server, servers)
	}
	return render(doc), nil
}

// outlookServers are the servers that the document tells of, as configured: one
// of each type, because emailengine takes the last of several and Thunderbird
// the first, and in the provider's order of preference, which Outlook follows.
//
// CalDAV and CardDAV come last. They are no types of Microsoft's; eM Client
// reads them (mailcow and automx2 serve them for it), Outlook and Thunderbird
// skip what they do not know.
func outlookServers(v view) ([]account.Server, error) {
	var mail, dav []account.Server
	var told [len(protocolTypes)]bool
	incoming := false
	for _, s := range v.settings.Servers {
		i := protocolIndex(s.Type)
		if i < 0 || told[i] {
			continue
		}
		s, ok := v.first(s.Type)
		if !ok {
			continue
		}
		told[i] = true
		incoming = incoming || s.Type == account.IMAP || s.Type == account.POP3
		if s.Type.HasURL() {
			dav = append(dav, s)
		} else {
			mail = append(mail, s)
		}
	}
	if !incoming {
		return nil, &Error{Code: NotAvailable, Reason: whyNotOutlook(v)}
	}
	return append(mail, dav...), nil
}

func whyNotOutlook(v view) string {
	for _, s := range v.settings.Servers {
		if s.Type != account.IMAP && s.Type != account.POP3 {
			continue
		}
		if !takesPassword(s) {
			return "the " + string(s.Type) + " server takes no password, and Outlook's schema knows no other way to sign in"
		}
		return "the name of the " + string(s.Type) + " server needs a mailbox, and none was given"
	}
	return "Outlook's schema tells of IMAP and POP3 servers, and the provider's servers are: " + types(v.settings.Servers)
}

// protocolTypes are the types that the document tells of, and Microsoft's
// spelling. "POP" instead of POP3 is a mistake that Thunderbird does not forgive.
var protocolTypes = [...]struct {
	ours   account.ServerType
	theirs string
}{
	{account.IMAP, "IMAP"},
	{account.POP3, "POP3"},
	{account.SMTP, "SMTP"},
	{account.CalDAV, "CalDAV"},
	{account.CardDAV, "CardDAV"},
}

func protocolIndex(t account.ServerType) int {
	for i := range protocolTypes {
		if protocolTypes[i].ours == t {
			return i
		}
	}
	return -1
}

// addProtocol writes one server. Every default that does harm is overridden:
// LoginName (the local part), SPA (on), AuthRequired. Values are in lower case,
// because Delta Chat and emailengine compare them exactly.
func addProtocol(acc *etree.Element, v view, raw account.Server, all []account.Server) {
	s := v.complete(raw)
	protocol := acc.CreateElement("Protocol")
	add(protocol, "Type", protocolTypes[protocolIndex(s.Type)].theirs)
	if s.Type.HasURL() {
		add(protocol, "Server", s.URL)
	} else {
		add(protocol, "Server", s.Hostname)
		add(protocol, "Port", strconv.Itoa(s.Port)) // Delta Chat drops a Protocol without
	}
	if address := v.address(); address != "" {
		// Never an empty element: Thunderbird drops the whole Protocol.
		login := s.Login.Username
		if login == "" {
			login = address
		}
		add(protocol, "LoginName", login)
	}
	add(protocol, "DomainRequired", onOff(s.Login.DomainName != ""))
	if s.Login.DomainName != "" {
		add(protocol, "DomainName", s.Login.DomainName)
	}
	add(protocol, "SPA", onOff(password(s) == account.NTLM))
	if s.Type.HasURL() {
		add(protocol, "SSL", onOff(isHTTPS(s.URL)))
	} else {
		ssl, encryption := security(s.SocketType)
		add(protocol, "SSL", ssl)
		add(protocol, "Encryption", encryption)
	}
	add(protocol, "AuthRequired", "on")
	if s.Type == account.SMTP {
		add(protocol, "UsePOPAuth", onOff(sameLogin(raw, all)))
		add(protocol, "SMTPLast", "off")
	}
}

// security spells a socket type. Encryption TLS means STARTTLS to Outlook: on
// port 993 it makes Outlook wait for a greeting in clear text (stalwart#3248).
// Outlook from 2010 on takes Encryption and ignores SSL beside it, which stays
// on with STARTTLS, because Thunderbird and Delta Chat read SSL off as "no
// encryption" whatever Encryption says. With SSL on, Delta Chat tries implicit
// TLS and then STARTTLS on the port.
func security(t account.SocketType) (ssl, encryption string) {
	switch t {
	case account.STARTTLS:
		return "on", "TLS"
	case account.Plain:
		return "off", "None"
	}
	return "on", "SSL"
}

// sameLogin reports whether the first incoming server is signed in to with the
// same login, which is what UsePOPAuth tells.
func sameLogin(smtp account.Server, all []account.Server) bool {
	for _, s := range all {
		if s.Type == account.IMAP || s.Type == account.POP3 {
			return s.Login == smtp.Login
		}
	}
	return false
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func isHTTPS(url string) bool {
	return len(url) > len("https://") && strings.EqualFold(url[:len("https://")], "https://")
}
