package client

import (
	"strings"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// This file has Autodiscover by SOAP, which EWS programs ask.

const soapPath = "/autodiscover/autodiscover.svc"

// soapURL returns the URL of Autodiscover by SOAP on a host.
func soapURL(host string) string { return "https://" + host + soapPath }

// soapQuestion asks for the EWS server of a mailbox, without a password.
func soapQuestion(rawURL, mailbox string) probe.WebQuestion {
	const schema = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
	mailbox = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(mailbox)
	return probe.WebQuestion{
		Method: "POST", URL: Normalize(rawURL), ContentType: "text/xml; charset=utf-8",
		Body: `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
			`xmlns:a="` + schema + `">` +
			`<s:Header><a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion></s:Header>` +
			`<s:Body><a:GetUserSettingsRequestMessage><a:Request>` +
			`<a:Users><a:User><a:Mailbox>` + mailbox + `</a:Mailbox></a:User></a:Users>` +
			`<a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings>` +
			`</a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`,
	}
}

// soapSettings asks for the address of the search.
func (s *Search) soapSettings(rawURL string) probe.WebQuestion {
	return soapQuestion(rawURL, s.AddressFor(rawURL).String())
}

// soapUser is what an answer says of the mailbox.
type soapUser struct {
	code string // empty if the answer says nothing of a mailbox
	url  string // of EWS
}

// readSOAPUser reads the answer for the first mailbox.
func readSOAPUser(body []byte) soapUser {
	var user soapUser
	root := document.ReadXML(body).Root
	if root == nil || root.Local() != "Envelope" {
		return user
	}
	root.Walk(func(e *document.Element) {
		switch {
		case e.Local() == "UserResponse" && user.code == "":
			user.code = childText(e, "ErrorCode")
		case e.Local() == "UserSetting" && user.url == "" && childText(e, "Name") == "ExternalEwsUrl":
			user.url = childText(e, "Value")
		}
	})
	return user
}

// childText returns the text of a child, whatever prefix it has.
func childText(e *document.Element, local string) string {
	for _, child := range e.Children {
		if child.Local() == local {
			return strings.TrimSpace(child.Text)
		}
	}
	return ""
}

// ewsServer is the server with which a search for EWS ends.
func (s *Search) ewsServer(url string) []Server {
	return []Server{{Type: account.EWS, URL: url, Username: s.Address.String()}}
}

// wantsPassword reports whether the answer asks for a password in a way that libraries know.
func wantsPassword(page Page) bool {
	challenge := strings.ToLower(page.Header["Www-Authenticate"])
	return page.Failure == nil && page.Status == 401 && (strings.Contains(challenge, "basic") ||
		strings.Contains(challenge, "ntlm") || strings.Contains(challenge, "digest"))
}
