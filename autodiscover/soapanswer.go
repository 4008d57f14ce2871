package autodiscover

import (
	"github.com/beevik/etree"

	"signpost/account"
)

// soapAnswer is what a mailbox or a domain of a request gets.
type soapAnswer struct {
	account.Settings
	code   Code
	server account.Server // if code is NoError
	target string         // of a redirect
}

// UserSettings returns the answer to an Exchange program that asks by SOAP for the EWS
// server of the mailbox, and for what exchangelib and ews-javascript-api need besides. The
// error is an *Error where SOAP tells nothing of the mailbox, and a *Redirect where the
// program is redirected by HTTP.
func UserSettings(s account.Settings) ([]byte, error) {
	if to := redirectOf(s); to != nil && to.Hostname != "" {
		return nil, httpRedirect(to, "svc")
	}
	server, err := ewsServer(s)
	if err != nil {
		return nil, err
	}
	request := &soapRequest{operation: getUserSettings, settings: []string{
		"UserDisplayName", "AutoDiscoverSMTPAddress", "ExternalEwsUrl", "EwsSupportedSchemas",
	}}
	return request.answer([]soapAnswer{{Settings: s, code: noError, server: server}}), nil
}

// answer writes the envelope with an answer for each of the names.
func (r *soapRequest) answer(answers []soapAnswer) []byte {
	doc, response := r.newEnvelope(noError)
	parent, child := "UserResponses", "UserResponse"
	if r.operation == getDomainSettings {
		parent, child = "DomainResponses", "DomainResponse"
	}
	all := response.CreateElement(parent)
	for _, a := range answers {
		r.add(all.CreateElement(child), &a)
	}
	return renderSOAP(doc)
}

// refusal writes an envelope without answers.
func (r *soapRequest) refusal(code Code) []byte {
	doc, _ := r.newEnvelope(code)
	return renderSOAP(doc)
}

// newEnvelope begins an answer and returns its Response. ews-javascript-api fails without
// ServerVersionInfo; the version is that of the answers, which EWS servers do not share.
func (r *soapRequest) newEnvelope(code Code) (*etree.Document, *etree.Element) {
	doc, envelope := newSOAP()
	envelope.CreateAttr("xmlns:a", nsAddressing)
	header := envelope.CreateElement("s:Header")
	action := header.CreateElement("a:Action")
	action.CreateAttr("s:mustUnderstand", "1")
	action.CreateText(nsSOAP + "/Autodiscover/" + r.operation + "Response")
	if r.messageID != "" {
		add(header, "a:RelatesTo", r.messageID)
	}
	version := header.CreateElement("ServerVersionInfo")
	version.CreateAttr("xmlns", nsSOAP)
	add(version, "MajorVersion", "15")
	add(version, "MinorVersion", "0")
	add(version, "MajorBuildNumber", "0")
	add(version, "MinorBuildNumber", "0")
	add(version, "Version", "Exchange2013")

	message := envelope.CreateElement("s:Body").CreateElement(r.operation + "ResponseMessage")
	message.CreateAttr("xmlns", nsSOAP)
	response := message.CreateElement("Response")
	response.CreateAttr("xmlns:i", "http://www.w3.org/2001/XMLSchema-instance")
	addCode(response, code)
	return doc, response
}

// add writes the answer for one name. Its elements are in the order of the schema of
// [MS-OXWSADISC], by which .NET reads them.
func (r *soapRequest) add(element *etree.Element, a *soapAnswer) {
	addCode(element, a.code)
	if r.operation == getDomainSettings {
		r.addSettings(element, a, "Domain", domainSettings)
		addTarget(element, a.target)
		return
	}
	addTarget(element, a.target)
	r.addSettings(element, a, "User", userSettings)
}

// addSettings writes an error for each setting that is not here, and the others. kind is
// User or Domain.
func (r *soapRequest) addSettings(element *etree.Element, a *soapAnswer, kind string, known map[string]bool) {
	errors := element.CreateElement(kind + "SettingErrors")
	settings := element.CreateElement(kind + "Settings")
	if a.code != noError {
		return
	}
	class := "StringSetting"
	if kind == "Domain" {
		class = "DomainStringSetting"
	}
	values := a.settings()
	for _, name := range r.settings {
		value := values[name]
		if value == "" && withoutError[name] {
			continue
		}
		if value == "" || !known[name] {
			e := errors.CreateElement(kind + "SettingError")
			code := settingNotHere
			if !known[name] {
				code, name = invalidSetting, filter(name)
			}
			addCode(e, code)
			add(e, "SettingName", name)
			continue
		}
		setting := settings.CreateElement(kind + "Setting")
		setting.CreateAttr("i:type", class)
		add(setting, "Name", name)
		add(setting, "Value", value)
	}
}

func addCode(element *etree.Element, code Code) {
	add(element, "ErrorCode", string(code))
	add(element, "ErrorMessage", soapMessages[code])
}

func addTarget(element *etree.Element, target string) {
	e := element.CreateElement("RedirectTarget")
	if target == "" {
		e.CreateAttr("i:nil", "true")
		return
	}
	e.CreateText(target)
}

// document writes the fault.
func (f *soapFault) document() []byte {
	doc, envelope := newSOAP()
	fault := envelope.CreateElement("s:Body").CreateElement("s:Fault")
	add(fault, "faultcode", "s:"+f.code)
	add(fault, "faultstring", f.text)
	return renderSOAP(doc)
}

func newSOAP() (*etree.Document, *etree.Element) {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="utf-8"`)
	envelope := doc.CreateElement("s:Envelope")
	envelope.CreateAttr("xmlns:s", nsEnvelope)
	return doc, envelope
}

// renderSOAP is like render without white space, which ews-javascript-api takes for text.
func renderSOAP(doc *etree.Document) []byte {
	text, err := doc.WriteToBytes()
	if err != nil {
		panic(err) // writing to memory does not fail
	}
	return text
}
