package autodiscover

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"

	"signpost/account"
)

// Limits of a request. A real one has about 500 octets in three levels.
const (
	maxBody     = 8 << 10
	maxDepth    = 16
	maxElements = 128
)

// request is what a POST asks.
type request struct {
	address account.Address
	schema  string // nsOutlook or nsMobileSync
}

// parseRequest reads the body of a POST.
//
// Clients differ in the order of the elements, wrap texts in white space, and
// name wrong root namespaces (mailcow#2986), so elements are known by local name
// in any order and the answer is decided by AcceptableResponseSchema alone. Two
// Request elements are an error (Microsoft's test suite, MSASCMD_S01_TC03).
//
// Where both EMailAddress and LegacyDN are given, [MS-OXDSCLI] 3.2.5 has the
// LegacyDN win. It is the name of a mailbox in an Exchange directory; here are
// none, so the address is used.
func parseRequest(body []byte) (request, error) {
	root, err := parse(body, maxDepth, maxElements)
	if err != nil {
		return request{}, invalid(err.Error())
	}
	if !strings.EqualFold(root.Tag, "Autodiscover") {
		return request{}, invalid("its root is not Autodiscover")
	}
	element, err := only(root, "Request")
	if err != nil {
		return request{}, err
	}
	if element == nil {
		return request{}, invalid("it has no Request")
	}
	address, err := textOf(element, "EMailAddress")
	if err != nil {
		return request{}, err
	}
	legacyDN, err := textOf(element, "LegacyDN")
	if err != nil {
		return request{}, err
	}
	accepted, err := textOf(element, "AcceptableResponseSchema")
	if err != nil {
		return request{}, err
	}
	if address == "" && legacyDN == "" {
		return request{}, invalid("it has no EMailAddress")
	}
	schema := schemaOf(accepted, element)
	switch {
	case schema == "":
		return request{}, &Error{Code: NotAvailable, Reason: "the schema asked for is neither Outlook's nor ActiveSync's"}
	case address == "":
		return request{}, &Error{Code: AddressUnknown, Reason: "the request names its mailbox by LegacyDN only"}
	}
	a, err := account.ParseAddress(address)
	if err != nil {
		return request{}, invalid(err.Error())
	}
	return request{a, schema}, nil
}

// schemaOf is the schema to answer in, empty if it is none of ours. Where the
// request names none, its namespace tells. Whoever built a client from
// Microsoft's web pages writes https.
func schemaOf(accepted string, request *etree.Element) string {
	asked := accepted
	if asked == "" {
		asked = request.NamespaceURI()
	}
	if rest, ok := strings.CutPrefix(asked, "https:"); ok {
		asked = "http:" + rest
	}
	switch {
	case asked == nsOutlook, accepted == "" && asked == nsOutlookRequest:
		return nsOutlook
	case asked == nsMobileSync, accepted == "" && asked == nsMobileSyncRequest:
		return nsMobileSync
	}
	return ""
}

func invalid(reason string) *Error {
	return &Error{Code: InvalidRequest, Reason: "the request: " + reason}
}

// parse reads XML from strangers into a tree. What etree and encoding/xml let
// through is refused here: document types (entities), other encodings than
// UTF-8, and more elements than anybody needs. NUL and other control characters
// encoding/xml refuses itself. The error never holds a text of the document.
func parse(text []byte, depth, elements int) (*etree.Element, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8")
	}
	if bytes.Count(text, []byte("<")) > 2*elements {
		return nil, errors.New("it has too many elements")
	}
	for rest := text; ; {
		_, after, found := bytes.Cut(rest, []byte("<!"))
		if !found {
			break
		}
		if !bytes.HasPrefix(after, []byte("--")) && !bytes.HasPrefix(after, []byte("[CDATA[")) {
			return nil, errors.New("it has a document type")
		}
		rest = after
	}
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = depth
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, errors.New("it is not well-formed XML")
	}
	// etree takes an empty text, plain words and several roots for documents.
	var root *etree.Element
	for _, token := range doc.Child {
		switch t := token.(type) {
		case *etree.Element:
			if root != nil {
				return nil, errors.New("it is not well-formed XML")
			}
			root = t
		case *etree.CharData:
			if !t.IsWhitespace() {
				return nil, errors.New("it is not well-formed XML")
			}
		}
	}
	if root == nil {
		return nil, errors.New("it is not well-formed XML")
	}
	return root, nil
}

// only is the child of that name, whatever its namespace and case, nil where
// there is none. Two are an error: different readers would take different ones.
func only(parent *etree.Element, tag string) (*etree.Element, error) {
	var found *etree.Element
	for _, token := range parent.Child {
		child, ok := token.(*etree.Element)
		if !ok || !strings.EqualFold(child.Tag, tag) {
			continue
		}
		if found != nil {
			return nil, invalid("it has more than one " + tag)
		}
		found = child
	}
	return found, nil
}

// textOf is the trimmed text of the only child of that name, empty where there
// is none. Comments inside do not cut it short, elements inside are an error.
func textOf(parent *etree.Element, tag string) (string, error) {
	element, err := only(parent, tag)
	if element == nil || err != nil {
		return "", err
	}
	if len(element.Child) == 1 {
		if t, ok := element.Child[0].(*etree.CharData); ok {
			return strings.TrimSpace(t.Data), nil
		}
	}
	var text strings.Builder
	for _, token := range element.Child {
		switch t := token.(type) {
		case *etree.CharData:
			text.WriteString(t.Data)
		case *etree.Element:
			return "", invalid("its " + tag + " holds elements")
		}
	}
	return strings.TrimSpace(text.String()), nil
}
