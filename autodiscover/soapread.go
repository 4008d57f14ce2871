package autodiscover

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// ReadUserSettings reads the answer to GetUserSettings for one mailbox, of this package or
// of any other server, as an Exchange program does. It returns an *Error with the code of
// SOAP for an answer that is an error or a fault, and settings with a
// Provider.AutodiscoverRedirect for one that redirects.
//
// The settings have an EWS server if the answer has its URL. The program signs in with the
// address that the answer names, or with the one that it asked about.
func ReadUserSettings(document []byte) (account.Settings, error) {
	if len(document) > maxDocument {
		return account.Settings{}, errors.New("the answer is too long")
	}
	root, err := parseTree(document, maxDocumentDepth, maxDocumentElements)
	if err != nil {
		return account.Settings{}, fmt.Errorf("the answer: %w", err)
	}
	if root.Tag != "Envelope" || root.NamespaceURI() != nsEnvelope {
		return account.Settings{}, errors.New("the answer is not an envelope of SOAP 1.1")
	}
	if fault := root.FindElement("Body/Fault"); fault != nil {
		_, code, _ := strings.Cut(":"+textOf(fault, "faultcode"), ":")
		return account.Settings{}, remoteError(Code(code[strings.LastIndexByte(code, ':')+1:]),
			textOf(fault, "faultstring"))
	}
	response := root.FindElement("Body/" + getUserSettings + "ResponseMessage/Response")
	if response == nil {
		return account.Settings{}, errors.New("the answer has no Response to " + getUserSettings)
	}
	if err := readCode(response); err != nil {
		return account.Settings{}, err
	}
	users := childrenOf(response, "UserResponses")
	if len(users) != 1 {
		return account.Settings{}, errors.New("the answer is not about one mailbox")
	}
	return readUser(users[0])
}

// readCode returns the error that an element has as its code, or nil.
func readCode(element *etree.Element) error {
	code := Code(textOf(element, "ErrorCode"))
	switch code {
	case noError, redirectURL, redirectedTo:
		return nil
	}
	if soapMessages[code] == "" && code != "InternalServerError" {
		return errors.New("the answer has an unknown ErrorCode, or none")
	}
	return remoteError(code, textOf(element, "ErrorMessage"))
}

func readUser(user *etree.Element) (account.Settings, error) {
	s := account.Settings{Provider: new(account.Provider)}
	if err := readCode(user); err != nil {
		return account.Settings{}, err
	}
	target := textOf(user, "RedirectTarget")
	switch Code(textOf(user, "ErrorCode")) {
	case redirectedTo:
		return readRedirectAddress(s, target)
	case redirectURL:
		to, err := url.Parse(target)
		if err != nil || to.Scheme != "https" || to.Host == "" {
			return account.Settings{}, errors.New("the answer redirects to a URL that is not https")
		}
		s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: to.Host}
		return s, nil
	}
	values := map[string]string{}
	for _, setting := range childrenOf(user, "UserSettings") {
		values[textOf(setting, "Name")] = textOf(setting, "Value")
	}
	if err := readAddress(&s, values["AutoDiscoverSMTPAddress"]); err != nil {
		return account.Settings{}, err
	}
	ews := values["ExternalEwsUrl"]
	if ews == "" {
		ews = values["InternalEwsUrl"]
	}
	if ews == "" {
		return s, nil
	}
	server, err := readExchange(ews, s.Address)
	if err != nil {
		return account.Settings{}, err
	}
	schemas := strings.FieldsFunc(values["EwsSupportedSchemas"], func(r rune) bool { return r == ',' || r == ' ' })
	for _, version := range account.ExchangeVersions {
		if slices.Contains(schemas, version) {
			server.ExchangeVersion = version
		}
	}
	s.Servers = append(s.Servers, server)
	return s, nil
}

// readExchange returns the EWS server with the URL, at which a program signs in with the
// address.
func readExchange(url string, a account.Address) (account.Server, error) {
	if !isHTTPS(url) {
		return account.Server{}, errors.New("the answer has an EWS server whose URL is not https")
	}
	return account.Server{
		Type:           account.EWS,
		URL:            account.Verbatim(url),
		Authentication: []account.Authentication{account.PasswordCleartext},
		Login:          account.Login{Username: account.Verbatim(a.String())},
	}, nil
}
