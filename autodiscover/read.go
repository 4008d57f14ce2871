package autodiscover

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Limits of an answer. Exchange's own have some hundred elements.
const (
	maxDocument         = 256 << 10
	maxDocumentDepth    = 32
	maxDocumentElements = 4096
)

// Read reads an XML answer, of this package or of any other server, as a client
// does. It returns an *Error for an answer that is an error, and settings with a
// Provider.AutodiscoverRedirect for one that redirects.
//
// The servers are in the order of the answer, with its host names, URLs and logins,
// none of which Expanded changes. Fields that the answer does not have stay empty.
// The entries of an Exchange server (EXCH, EXPR) are an EWS server with ExchangeEntries, if
// they have its URL; WEB and the certificate servers of phones are left out.
func Read(document []byte) (account.Settings, error) {
	if len(document) > maxDocument {
		return account.Settings{}, errors.New("the answer is too long")
	}
	root, err := parseTree(document, maxDocumentDepth, maxDocumentElements)
	if err != nil {
		return account.Settings{}, fmt.Errorf("the answer: %w", err)
	}
	if root.Tag != "Autodiscover" || root.NamespaceURI() != nsResponse {
		return account.Settings{}, errors.New("the answer is not from Autodiscover")
	}
	response, err := onlyChild(root, "Response")
	if err != nil || response == nil {
		return account.Settings{}, errors.New("the answer has no Response, or several")
	}
	if e := response.SelectElement("Error"); e != nil {
		return account.Settings{}, readError(e)
	}
	switch response.NamespaceURI() {
	case nsOutlook:
		return readOutlook(response)
	case nsMobileSync:
		return readActiveSync(response)
	}
	return account.Settings{}, errors.New("the answer is in no schema that a client knows")
}

// readError reads an answer that has an error in place of settings.
func readError(e *etree.Element) error {
	code := textOf(e, "ErrorCode")
	if _, err := strconv.ParseUint(code, 10, 16); err != nil {
		return errors.New("the answer is an error with an invalid code")
	}
	return remoteError(Code(code), textOf(e, "Message"))
}

// remoteError returns the error that a server has answered with.
func remoteError(code Code, message string) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf("the server's message is %q", message), message: message}
}

func readOutlook(response *etree.Element) (account.Settings, error) {
	s := account.Settings{Provider: new(account.Provider)}
	if user := response.SelectElement("User"); user != nil {
		if err := readAddress(&s, textOf(user, "AutoDiscoverSMTPAddress")); err != nil {
			return account.Settings{}, err
		}
	}
	acc := response.SelectElement("Account")
	if acc == nil {
		return account.Settings{}, errors.New("the answer has no Account")
	}
	switch action := textOf(acc, "Action"); strings.ToLower(action) {
	case "settings":
	case "redirecturl":
		target, err := url.Parse(textOf(acc, "RedirectUrl"))
		if err != nil || target.Scheme != "https" || target.Host == "" {
			return account.Settings{}, errors.New("the answer redirects to a URL that is not https")
		}
		s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: target.Host, AsXML: true}
		return s, nil
	case "redirectaddr":
		return readRedirectAddress(s, textOf(acc, "RedirectAddr"))
	default:
		return account.Settings{}, errors.New("the answer has an unknown Action, or none")
	}
	for _, protocol := range acc.SelectElements("Protocol") {
		if name := strings.ToUpper(textOf(protocol, "Type")); name == "EXCH" || name == "EXPR" {
			if err := readExchangeEntry(&s, protocol); err != nil {
				return account.Settings{}, err
			}
			continue
		}
		server, err := readProtocol(protocol)
		if err != nil {
			return account.Settings{}, err
		}
		if server.Type != "" {
			s.Servers = append(s.Servers, server)
		}
	}
	return s, nil
}

// readExchangeEntry adds the EWS server of an entry, unless an earlier entry has it.
func readExchangeEntry(s *account.Settings, protocol *etree.Element) error {
	url := cmp.Or(textOf(protocol, "EwsUrl"), textOf(protocol, "ASUrl"))
	if url == "" {
		return nil // of MAPI alone
	}
	server, err := readExchange(url, s.Address)
	if err != nil {
		return err
	}
	server.ExchangeEntries = true
	isSame := func(other account.Server) bool { return other.Type == account.EWS && other.URL == server.URL }
	if !slices.ContainsFunc(s.Servers, isSame) {
		s.Servers = append(s.Servers, server)
	}
	return nil
}

// readProtocol reads one Protocol as Outlook does: Encryption, if present, overrides
// SSL, and SPA and SSL are on unless they are off. It returns a server without Type
// for a Protocol that account has no type for.
func readProtocol(protocol *etree.Element) (account.Server, error) {
	var s account.Server
	name := textOf(protocol, "Type")
	for t, theirs := range protocolNames {
		if strings.EqualFold(theirs, name) {
			s.Type = t
		}
	}
	if s.Type == "" {
		return s, nil
	}
	server := account.Verbatim(textOf(protocol, "Server"))
	if server == "" {
		return s, fmt.Errorf("the answer has a Protocol %s without Server", s.Type)
	}
	s.Login.Username = account.Verbatim(textOf(protocol, "LoginName"))
	s.Login.DomainName = textOf(protocol, "DomainName")
	s.Authentication = []account.Authentication{account.NTLM}
	if isOff(protocol, "SPA") {
		s.Authentication[0] = account.PasswordCleartext
	}
	if s.Type == account.SMTP && isOff(protocol, "AuthRequired") {
		s.Authentication[0] = account.NoAuthentication
	}
	if s.Type.HasURL() {
		s.URL = server
		return s, nil
	}
	s.Hostname = server
	s.SocketType = readSecurity(protocol)
	port := textOf(protocol, "Port")
	if port == "" {
		s.Port = account.DefaultPort(s.Type, s.SocketType)
		return s, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return s, fmt.Errorf("the answer has a Protocol %s with an invalid Port", s.Type)
	}
	s.Port = int(n)
	return s, nil
}

func readSecurity(protocol *etree.Element) account.SocketType {
	switch strings.ToUpper(textOf(protocol, "Encryption")) {
	case "SSL":
		return account.SSL
	case "TLS":
		return account.STARTTLS
	case "NONE":
		return account.Plain
	}
	if isOff(protocol, "SSL") {
		return account.Plain
	}
	return account.SSL
}

func isOff(protocol *etree.Element, tag string) bool {
	return strings.EqualFold(textOf(protocol, tag), "off")
}

func readActiveSync(response *etree.Element) (account.Settings, error) {
	s := account.Settings{Provider: new(account.Provider)}
	if user := response.SelectElement("User"); user != nil {
		if err := readAddress(&s, textOf(user, "EMailAddress")); err != nil {
			return account.Settings{}, err
		}
	}
	action := response.SelectElement("Action")
	if action == nil {
		return account.Settings{}, errors.New("the answer has no Action")
	}
	if e := action.SelectElement("Error"); e != nil {
		if textOf(e, "ErrorCode") != "" {
			return account.Settings{}, readError(e)
		}
		// Status has the same value for all errors.
		return account.Settings{}, remoteError(AddressUnknown, textOf(e, "Message"))
	}
	if redirect := textOf(action, "Redirect"); redirect != "" {
		return readRedirectAddress(s, redirect)
	}
	settings := action.SelectElement("Settings")
	if settings == nil {
		return account.Settings{}, errors.New("the answer has no Settings")
	}
	for _, server := range settings.SelectElements("Server") {
		if textOf(server, "Type") != "MobileSync" {
			continue
		}
		target := textOf(server, "Url")
		if !isHTTPS(target) {
			return account.Settings{}, errors.New("the answer has a server whose Url is not https")
		}
		s.Servers = append(s.Servers, account.Server{
			Type:           account.ActiveSync,
			URL:            account.Verbatim(target),
			Authentication: []account.Authentication{account.PasswordCleartext},
			// The phone signs in with the address that it asked about.
			Login: account.Login{Username: account.Verbatim(s.Address.String())},
		})
	}
	return s, nil
}

// readRedirectAddress adds the address that the answer redirects to.
func readRedirectAddress(s account.Settings, text string) (account.Settings, error) {
	to, err := account.ParseAddress(text)
	if err != nil {
		return account.Settings{}, fmt.Errorf("the address that the answer redirects to: %w", err)
	}
	s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Address: to.String()}
	return s, nil
}

// readAddress stores the address of the answer in the settings, if there is one.
func readAddress(s *account.Settings, text string) error {
	if text == "" {
		return nil
	}
	a, err := account.ParseAddress(text)
	if err != nil {
		return fmt.Errorf("the user of the answer: %w", err)
	}
	s.Address, s.Login = a, a
	return nil
}
