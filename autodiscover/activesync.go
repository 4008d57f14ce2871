package autodiscover

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/beevik/etree"

	"signpost/account"
)

// ActiveSync returns the answer for AcceptableResponseSchema
// mobilesync/responseschema/2006 ([MS-ASCMD] Autodiscover), which phones and the
// new Outlook for Windows read.
//
// The answer has no place for a user name: the phone signs in with the address
// that it asked about. Where the server wants another login the answer is error
// 601, after which phones ask the person for server, domain and user name,
// unless the server is configured with AnswerWithoutLogin.
//
// The error is an *Error where there are no settings for a phone, and a
// *Redirect where the client is redirected to another service by HTTP.
func ActiveSync(s account.Settings) ([]byte, error) {
	document, err := new(documents).write(s, form{schema: nsMobileSync})
	if e, ok := errors.AsType[*Error](err); ok {
		// The placeholders are part of a text that was quoted with %q.
		e.Reason = string(account.ParseTemplate(e.Reason).Append(nil, s.Login, escapeQuoted))
	}
	return document, err
}

func escapeQuoted(dst []byte, text string) []byte {
	quoted := strconv.Quote(text)
	return append(dst, quoted[1:len(quoted)-1]...)
}

// writeActiveSync writes the template of an answer. It keeps to the order of
// [MS-ASCMD] 6.2, a schema of sequences. For Type MobileSync, Name must be the
// same as Url.
func writeActiveSync(s account.Settings) ([]byte, error) {
	server, err := activeSyncServer(s)
	if err != nil {
		return nil, err
	}
	doc, action := newMobileSync(account.EmailAddress)
	element := action.CreateElement("Settings").CreateElement("Server")
	add(element, "Type", "MobileSync")
	add(element, "Url", server.URL)
	add(element, "Name", server.URL)
	return render(doc), nil
}

// newMobileSync begins an answer in the schema of phones and returns its
// Action. Culture is always en:us, with a colon.
func newMobileSync(address string) (*etree.Document, *etree.Element) {
	doc, response := newDocument(nsMobileSync)
	add(response, "Culture", "en:us")
	user := response.CreateElement("User")
	add(user, "DisplayName", address)
	add(user, "EMailAddress", address)
	return doc, response.CreateElement("Action")
}

// activeSyncServer returns the server for phones. It must have an https URL: iOS
// once synchronised in clear text.
func activeSyncServer(s account.Settings) (account.Server, error) {
	reason := "the provider has no activesync server, its servers are: " + typeNames(s.Servers)
	for _, server := range s.Servers {
		switch {
		case server.Type != account.ActiveSync:
		case !isHTTPS(server.URL):
			reason = "the URL of the activesync server is not https"
		case !phoneSignsIn(server):
			reason = "phones have passwords, OAuth2 and certificates for ActiveSync, and the server takes none of them"
		case answersWithoutLogin(s, server):
			return server, nil
		default:
			reason = whyNotPhone(server.Login)
		}
	}
	return account.Server{}, &Error{Code: NotAvailable, Reason: reason}
}

// phoneSignsIn reports whether phones have one of the server's ways of signing in. None
// has a Kerberos ticket for ActiveSync.
func phoneSignsIn(s account.Server) bool {
	return takesPassword(s) || slices.Contains(s.Authentication, account.OAuth2Auth) ||
		slices.Contains(s.Authentication, account.TLSClientCert)
}

func whyNotPhone(login account.Login) string {
	wants := fmt.Sprintf("the user name %q", login.Username)
	if login.DomainName != "" {
		wants += fmt.Sprintf(" in the domain %q", login.DomainName)
	}
	return "the activesync server wants " + wants + ", an ActiveSync answer has no place for a login, " +
		"and the phone would sign in with the address; without an answer it asks for server, domain and user name " +
		"(answerWithoutLogin answers anyway)"
}

// answersWithoutLogin reports whether a client may be told about the server in an
// answer that has no place for a login.
func answersWithoutLogin(s account.Settings, server account.Server) bool {
	return server.AnswerWithoutLogin || signsInWithAddress(s, server)
}

// signsInWithAddress reports whether the address that the phone sent is the whole
// login. For an alias that signs in as its mailbox it is not.
func signsInWithAddress(s account.Settings, server account.Server) bool {
	if s.Custom {
		return server.Expand(s.Login).Login == account.Login{Username: s.Address.String()}
	}
	return server.SignsInWithAddress() // never where another Login has completed it
}

// unknownToPhone returns the answer to a phone whose address is not known here.
// For phones [MS-ASCMD] puts this error below Action; Status 2 is its only value.
func unknownToPhone(a account.Address) []byte {
	doc, action := newMobileSync(a.String())
	element := action.CreateElement("Error")
	add(element, "Status", "2")
	add(element, "Message", messages[AddressUnknown])
	add(element, "DebugData", "")
	return render(doc)
}
