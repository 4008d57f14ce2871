package autodiscover

import (
	"slices"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// The namespaces of SOAP 1.1, its successor, WS-Addressing, and SOAP Autodiscover.
const (
	nsEnvelope   = "http://schemas.xmlsoap.org/soap/envelope/"
	nsEnvelope12 = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing = "http://www.w3.org/2005/08/addressing"
	nsSOAP       = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
)

// maxSOAPElements is the number of elements that a SOAP request may have. exchangelib asks
// for 58 settings at once.
const maxSOAPElements = 512

// The operations of SOAP Autodiscover that have an answer.
const (
	getUserSettings   = "GetUserSettings"
	getDomainSettings = "GetDomainSettings"
	getFederation     = "GetFederationInformation"
)

// soapRequest is what an envelope asks for.
type soapRequest struct {
	operation string
	names     []string // of mailboxes, or of domains
	settings  []string
	messageID string // of WS-Addressing, or empty
}

// soapFault is an answer to what is no request.
type soapFault struct{ code, text string }

var notAnEnvelope = &soapFault{"Client", "The request is not a SOAP 1.1 envelope with a body."}

// parseSOAP reads an envelope. RequestedServerVersion and wsa:To are not looked at: the
// answers are the same for all versions, and clients come by redirects. Below the envelope,
// elements are known by their names in any namespace, as in autodiscover.xml: Microsoft's
// web pages spell the namespace with https.
func parseSOAP(body []byte) (*soapRequest, *soapFault) {
	root, err := parseTree(body, maxDepth, maxSOAPElements)
	switch {
	case err != nil || root.Tag != "Envelope":
		return nil, notAnEnvelope
	case root.NamespaceURI() != nsEnvelope:
		return nil, &soapFault{"VersionMismatch", "The envelope is not one of SOAP 1.1."}
	}
	header, err := onlyChild(root, "Header")
	if err != nil {
		return nil, notAnEnvelope
	}
	content, err := onlyChild(root, "Body")
	if err != nil || content == nil {
		return nil, notAnEnvelope
	}
	request := new(soapRequest)
	if header != nil {
		for _, block := range header.ChildElements() {
			if mustUnderstand(block) && !understood(block) {
				return nil, &soapFault{"MustUnderstand", "A header that must be understood is not known here."}
			}
		}
		request.messageID = messageID(textOf(header, "MessageID"))
	}
	messages := content.ChildElements()
	if len(messages) != 1 {
		return nil, notAnEnvelope
	}
	return request, request.read(messages[0])
}

// read reads the message of the operation.
func (r *soapRequest) read(message *etree.Element) *soapFault {
	parent, name := "Domains", "Domain"
	switch r.operation = strings.TrimSuffix(message.Tag, "RequestMessage"); r.operation {
	case getUserSettings:
		parent, name = "Users", "Mailbox"
	case getDomainSettings, getFederation:
	default:
		return &soapFault{"Client", "The operation is not known here."}
	}
	request := message.SelectElement("Request")
	if request == nil {
		return &soapFault{"Client", "The message has no Request."}
	}
	if r.operation == getFederation {
		r.names = []string{textOf(request, name)}
		return nil
	}
	for _, user := range childrenOf(request, parent) {
		if r.operation == getUserSettings {
			r.names = append(r.names, textOf(user, name))
		} else if user.Tag == name {
			r.names = append(r.names, strings.TrimSpace(user.Text()))
		}
	}
	for _, setting := range childrenOf(request, "RequestedSettings") {
		if name := strings.TrimSpace(setting.Text()); !slices.Contains(r.settings, name) {
			r.settings = append(r.settings, name)
		}
	}
	return nil
}

func childrenOf(parent *etree.Element, tag string) []*etree.Element {
	child := parent.SelectElement(tag)
	if child == nil {
		return nil
	}
	return child.ChildElements()
}

// mustUnderstand reports whether a header is to be understood by whoever answers
// (SOAP 1.1 §4.2.3).
func mustUnderstand(block *etree.Element) bool {
	for _, a := range block.Attr {
		if a.Key == "mustUnderstand" && a.NamespaceURI() == nsEnvelope {
			return a.Value == "1" || a.Value == "true"
		}
	}
	return false
}

// understood reports whether a header is known: those of WS-Addressing, and the version
// that is asked for.
func understood(block *etree.Element) bool {
	return block.NamespaceURI() == nsAddressing || block.Tag == "RequestedServerVersion"
}

// messageID returns the identifier of a message that an answer can repeat: of letters,
// digits and the marks of URIs.
func messageID(id string) string {
	const marks = ":-._~/{}"
	if len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool {
		return filter(string(r)) == "" && !strings.ContainsRune(marks, r)
	}) {
		return ""
	}
	return id
}

// readEnvelope reads what a SOAP request asks about. GetUserSettings names a Mailbox,
// GetDomainSettings and GetFederationInformation name a Domain. An envelope that cannot
// be read names nothing; a security token in it may make it too large.
func readEnvelope(q *account.Query, body []byte) {
	envelope, err := parseTree(body, maxDepth, maxSOAPElements)
	if err != nil {
		return
	}
	for _, tag := range []string{"Mailbox", "Domain"} {
		if e := envelope.FindElement("//" + tag); e != nil {
			q.ReadAddress(e.Text())
			break
		}
	}
}
