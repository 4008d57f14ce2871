package autodiscover

import (
	"fmt"

	"github.com/beevik/etree"

	"signpost/account"
)

// ActiveSync writes the answer to AcceptableResponseSchema
// mobilesync/responseschema/2006 ([MS-ASCMD] Autodiscover), which phones read, and
// the new Outlook for Windows.
//
// There is no place in it for a user name: the phone signs in with what it asked
// with, the address. Where the server wants another login the answer is error
// 601, upon which phones open their form for server, domain and user name,
// unless the server is configured with AnswerWithoutLogin.
//
// The error is an *Error where there is nothing to tell, and a *Redirect where
// the client is sent to another service.
func ActiveSync(s account.Settings) ([]byte, error) {
	if s.Address.IsAny() {
		return nil, invalid("ActiveSync is asked for a mailbox, and none was given")
	}
	if h := handOver(s); h != nil {
		return activeSyncHandOver(s, h)
	}
	return activeSyncDocument(view{settings: s})
}

// activeSyncDocument keeps to the order of [MS-ASCMD] 6.2, a schema of
// sequences. Name must be the same as Url for Type MobileSync.
func activeSyncDocument(v view) ([]byte, error) {
	server, err := activeSyncServer(v)
	if err != nil {
		return nil, err
	}
	url := v.complete(server).URL
	doc, action := newMobileSync(v.address())
	element := action.CreateElement("Settings").CreateElement("Server")
	add(element, "Type", "MobileSync")
	add(element, "Url", url)
	add(element, "Name", url)
	return render(doc), nil
}

// newMobileSync begins an answer in the schema of phones and returns its
// Action. Culture always reads en:us, with the colon.
func newMobileSync(address string) (*etree.Document, *etree.Element) {
	doc, response := newDocument(nsMobileSync)
	add(response, "Culture", "en:us")
	user := response.CreateElement("User")
	add(user, "DisplayName", address)
	add(user, "EMailAddress", address)
	return doc, response.CreateElement("Action")
}

// activeSyncServer is the server that a phone is told of. One that is not
// reached by https never is: iOS once synchronised in clear text.
func activeSyncServer(v view) (account.Server, error) {
	reason := "the provider has no activesync server, its servers are: " + types(v.settings.Servers)
	for i, s := range v.settings.Servers {
		if s.Type != account.ActiveSync {
			continue
		}
		if !isHTTPS(s.URL) {
			reason = "the URL of the activesync server is not https"
			continue
		}
		if s.AnswerWithoutLogin || v.signsInWithAddress(s) {
			return v.settings.Servers[i], nil
		}
		reason = whyNotPhone(v.complete(s).Login)
	}
	return account.Server{}, &Error{Code: NotAvailable, Reason: reason}
}

func whyNotPhone(login account.Login) string {
	wants := fmt.Sprintf("the user name %q", login.Username)
	if login.DomainName != "" {
		wants += fmt.Sprintf(" in the domain %q", login.DomainName)
	}
	return "the activesync server wants " + wants + ", an ActiveSync answer has no place for a login, and the phone would sign in" +
		" with the address; without an answer it asks for server, domain and user name (answerWithoutLogin answers anyway)"
}

// signsInWithAddress reports whether the address, as the phone sent it, is the
// whole login. An alias that signs in as its mailbox is not.
func (v view) signsInWithAddress(s account.Server) bool {
	if s.SignsInWithAddress() {
		return v.settings.Login == v.settings.Address
	}
	return v.settings.Custom && s.Expand(v.settings.Login).Login == account.Login{Username: v.settings.Address.String()}
}

// providerError is the answer to a phone whose address is not known here. For
// phones [MS-ASCMD] puts this error below Action; Status 2 is its only value.
func providerError(a account.Address) []byte {
	doc, action := newMobileSync(a.String())
	element := action.CreateElement("Error")
	add(element, "Status", "2")
	add(element, "Message", messages[AddressUnknown])
	add(element, "DebugData", "")
	return render(doc)
}
