package autodiscover

import (
	"errors"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Limits of a request. A real one has three levels.
const (
	maxDepth    = 16
	maxElements = 128
)

// requestTexts are the texts of a request, trimmed.
type requestTexts struct {
	address   string // EMailAddress
	legacyDN  string // LegacyDN
	schema    string // AcceptableResponseSchema
	namespace string // of Request
}

// scan reads Autodiscover/Request and the texts in it. The error never quotes the
// document.
func scan(body []byte) (requestTexts, error) {
	root, err := parseTree(body, maxDepth, maxElements)
	if err != nil {
		return requestTexts{}, err
	}
	if !strings.EqualFold(root.Tag, "Autodiscover") {
		return requestTexts{}, errors.New("its root is not Autodiscover")
	}
	request, err := onlyChild(root, "Request")
	if err != nil {
		return requestTexts{}, err
	}
	if request == nil {
		return requestTexts{}, errors.New("it has no Request")
	}
	texts := requestTexts{namespace: request.NamespaceURI()}
	for _, field := range [...]struct {
		tag  string
		text *string
	}{{"EMailAddress", &texts.address}, {"LegacyDN", &texts.legacyDN}, {"AcceptableResponseSchema", &texts.schema}} {
		element, err := onlyChild(request, field.tag)
		if err != nil {
			return requestTexts{}, err
		}
		if element == nil {
			continue
		}
		if len(element.ChildElements()) > 0 {
			return requestTexts{}, errors.New("its " + field.tag + " holds elements")
		}
		var text strings.Builder
		for _, token := range element.Child {
			if t, ok := token.(*etree.CharData); ok { // and not a comment
				text.WriteString(t.Data)
			}
		}
		*field.text = strings.TrimSpace(text.String())
	}
	return texts, nil
}

// poxRequest is what a POST asks for.
type poxRequest struct {
	address account.Address
	schema  string // nsOutlook or nsMobileSync
}

// parsePOX returns the request for the texts that scan found in the body of a
// POST. err is the error of scan.
//
// Clients differ in the order of the elements, wrap texts in white space, and
// use wrong root namespaces (mailcow#2986), so elements are known by local name
// in any order, and AcceptableResponseSchema alone decides the answer. Two
// Request elements are an error (Microsoft's test suite, MSASCMD_S01_TC03).
//
// Where both EMailAddress and LegacyDN are given, the LegacyDN takes precedence
// in [MS-OXDSCLI] 3.2.5. It is the name of a mailbox in an Exchange directory.
// There is none here, so the address is used.
func parsePOX(texts requestTexts, err error) (poxRequest, error) {
	if err != nil {
		return poxRequest{}, invalid(err.Error())
	}
	if texts.address == "" && texts.legacyDN == "" {
		return poxRequest{}, invalid("it has no EMailAddress")
	}
	schema := responseSchema(texts)
	switch {
	case schema == "":
		return poxRequest{}, &Error{Code: NotAvailable,
			Reason: "the schema asked for is neither Outlook's nor ActiveSync's"}
	case texts.address == "":
		return poxRequest{}, &Error{Code: AddressUnknown, Reason: "the request names its mailbox by LegacyDN only"}
	}
	var q account.Query
	q.ReadAddress(texts.address)
	if q.Address.IsZero() || q.Address.IsAny() {
		// The domain may be known, but an answer for it has no LoginName, and
		// Outlook would sign in with what stands before the @.
		_, err := account.ParseAddress(texts.address)
		return poxRequest{}, invalid(err.Error())
	}
	return poxRequest{q.Address, schema}, nil
}

// responseSchema returns the schema to answer in, or "" if the request accepts
// none that this package writes. If the request names no schema, its namespace
// decides. Clients built from Microsoft's web pages write https.
func responseSchema(texts requestTexts) string {
	schema := texts.schema
	if schema == "" {
		schema = texts.namespace
	}
	if rest, ok := strings.CutPrefix(schema, "https:"); ok {
		schema = "http:" + rest
	}
	switch {
	case schema == nsOutlook, texts.schema == "" && schema == nsOutlookRequest:
		return nsOutlook
	case schema == nsMobileSync, texts.schema == "" && schema == nsMobileSyncRequest:
		return nsMobileSync
	}
	return ""
}

func invalid(reason string) *Error {
	return &Error{Code: InvalidRequest, Reason: "the request: " + reason}
}
