package autodiscover

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/beevik/etree"

	"signpost/account"
)

// Outlook returns the answer for AcceptableResponseSchema
// outlook/responseschema/2006a ([MS-OXDSCLI]), which Outlook, Thunderbird, eM
// Client, Evolution and Delta Chat read. If s.Address.IsAny(), it leaves out
// User and LoginName.
//
// The error is an *Error where there are no settings for Outlook, and a
// *Redirect where the client is redirected to another service by HTTP.
func Outlook(s account.Settings) ([]byte, error) {
	return new(documents).write(s, form{schema: nsOutlook})
}

// writeOutlook writes the template of an answer, in the order in which
// Microsoft's documentation lists the elements ("POX Autodiscover response";
// there is no published XML schema). All known clients look them up by name.
func writeOutlook(s account.Settings) ([]byte, error) {
	servers, err := outlookServers(s)
	if err != nil {
		return nil, err
	}
	return writeProtocols(s, servers, nil)
}

// writeProtocols writes the template of an answer with servers, after the entries of an
// Exchange server if there is one.
func writeProtocols(s account.Settings, servers []account.Server, exchange *account.Server) ([]byte, error) {
	if s.Address.IsAny() && slices.ContainsFunc(servers, needsLogin) {
		return nil, &Error{Code: NotAvailable, Reason: "the user name is not the address, " +
			"and without an address the answer has no place for it: the client would sign in with the address"}
	}
	doc, response := newDocument(nsOutlook)
	if !s.Address.IsAny() {
		// exchangelib fails without User. DisplayName becomes the sender's
		// name; strangers must not learn the person's own.
		user := response.CreateElement("User")
		add(user, "DisplayName", account.EmailAddress)
		add(user, "AutoDiscoverSMTPAddress", account.EmailAddress)
	}
	acc := response.CreateElement("Account")
	add(acc, "AccountType", "email")
	add(acc, "Action", "settings")
	if exchange != nil {
		addExchange(acc, exchange)
	}
	for _, server := range servers {
		addProtocol(acc, s, server, servers)
	}
	return render(doc), nil
}

func needsLogin(s account.Server) bool { return !s.SignsInWithAddress() }

// outlookServers returns the servers that the document names: one of each type,
// because emailengine takes the last of several and Thunderbird the first, and
// in the provider's order of preference, which Outlook follows.
//
// CalDAV and CardDAV come last. Microsoft does not define these types. eM
// Client reads them (mailcow and automx2 serve them for it). Outlook and
// Thunderbird skip types that they do not know.
func outlookServers(s account.Settings) ([]account.Server, error) {
	var mail, dav []account.Server
	for _, server := range s.Servers {
		isSame := func(other account.Server) bool { return other.Type == server.Type }
		if protocolNames[server.Type] == "" || slices.ContainsFunc(mail, isSame) || slices.ContainsFunc(dav, isSame) {
			continue
		}
		switch server, ok := preferred(s, server.Type); {
		case !ok:
		case server.Type.HasURL():
			dav = append(dav, server)
		default:
			mail = append(mail, server)
		}
	}
	if !slices.ContainsFunc(mail, isIncomingMail) {
		return nil, &Error{Code: NotAvailable, Reason: whyNotOutlook(s)}
	}
	return append(mail, dav...), nil
}

// whyNotOutlook says why the settings have no incoming server for Outlook.
func whyNotOutlook(s account.Settings) string {
	i := slices.IndexFunc(s.Servers, isIncomingMail)
	if i < 0 {
		return "Outlook's schema tells of IMAP and POP3 servers, and the provider's servers are: " +
			typeNames(s.Servers)
	}
	server := s.Servers[i]
	if !takesPassword(server) {
		return "the " + string(server.Type) +
			" server takes no password, and Outlook's schema knows no other way to sign in"
	}
	return "the name of the " + string(server.Type) + " server needs a mailbox, and none was given"
}

// protocolNames are Microsoft's names of the types that the document can have.
// Thunderbird drops a server whose type is POP instead of POP3.
var protocolNames = map[account.ServerType]string{
	account.IMAP:    "IMAP",
	account.POP3:    "POP3",
	account.SMTP:    "SMTP",
	account.CalDAV:  "CalDAV",
	account.CardDAV: "CardDAV",
}

// addProtocol writes one server. It overrides every default that does harm:
// LoginName (the local part), SPA (on) and AuthRequired. Values are in lower
// case, because Delta Chat and emailengine compare them exactly.
func addProtocol(acc *etree.Element, settings account.Settings, s account.Server, all []account.Server) {
	protocol := acc.CreateElement("Protocol")
	add(protocol, "Type", protocolNames[s.Type])
	if s.Type.HasURL() {
		add(protocol, "Server", s.URL)
	} else {
		add(protocol, "Server", s.Hostname)
		add(protocol, "Port", strconv.Itoa(s.Port)) // Delta Chat drops a Protocol without Port
	}
	if !settings.Address.IsAny() {
		// Thunderbird drops a Protocol with an empty element, so LoginName is
		// never empty.
		add(protocol, "LoginName", cmp.Or(s.Login.Username, account.EmailAddress))
	}
	add(protocol, "DomainRequired", onOff(s.Login.DomainName != ""))
	if s.Login.DomainName != "" {
		add(protocol, "DomainName", s.Login.DomainName)
	}
	add(protocol, "SPA", onOff(passwordMethod(s) == account.NTLM))
	if s.Type.HasURL() {
		add(protocol, "SSL", onOff(isHTTPS(s.URL)))
	} else {
		ssl, encryption := security(s.SocketType)
		add(protocol, "SSL", ssl)
		add(protocol, "Encryption", encryption)
	}
	add(protocol, "AuthRequired", onOff(!s.NeedsNoLogin()))
	if s.Type == account.SMTP {
		add(protocol, "UsePOPAuth", onOff(sharesLogin(s, all) && !s.NeedsNoLogin()))
		add(protocol, "SMTPLast", "off")
	}
}

// security returns the values of SSL and Encryption for a socket type. To
// Outlook, Encryption TLS means STARTTLS: on port 993 Outlook would wait for a
// greeting in clear text (stalwart#3248). Outlook from 2010 on reads Encryption
// and ignores SSL beside it. SSL stays on with STARTTLS, because Thunderbird
// and Delta Chat read SSL off as "no encryption" whatever Encryption says. With
// SSL on, Delta Chat tries implicit TLS and then STARTTLS on the port.
func security(t account.SocketType) (ssl, encryption string) {
	switch t {
	case account.STARTTLS:
		return "on", "TLS"
	case account.Plain:
		return "off", "None"
	}
	return "on", "SSL"
}

// sharesLogin reports whether the first incoming server has the login of the
// SMTP server, which is the meaning of UsePOPAuth.
func sharesLogin(smtp account.Server, all []account.Server) bool {
	i := slices.IndexFunc(all, isIncomingMail)
	return i >= 0 && all[i].Login == smtp.Login
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
