package autodiscover

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

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

// parseRequest makes a request of the texts in the body of a POST, or of why there
// are none.
//
// Clients differ in the order of the elements, wrap texts in white space, and
// name wrong root namespaces (mailcow#2986), so elements are known by local name
// in any order and the answer is decided by AcceptableResponseSchema alone. Two
// Request elements are an error (Microsoft's test suite, MSASCMD_S01_TC03).
//
// Where both EMailAddress and LegacyDN are given, [MS-OXDSCLI] 3.2.5 has the
// LegacyDN win. It is the name of a mailbox in an Exchange directory; here are
// none, so the address is used.
func parseRequest(f texts, err error) (request, error) {
	if err != nil {
		return request{}, invalid(err.Error())
	}
	if f.address == "" && f.legacyDN == "" {
		return request{}, invalid("it has no EMailAddress")
	}
	schema := schemaOf(f)
	switch {
	case schema == "":
		return request{}, &Error{Code: NotAvailable, Reason: "the schema asked for is neither Outlook's nor ActiveSync's"}
	case f.address == "":
		return request{}, &Error{Code: AddressUnknown, Reason: "the request names its mailbox by LegacyDN only"}
	}
	a, err := account.ParseAddress(f.address)
	if err != nil {
		return request{}, invalid(err.Error())
	}
	return request{a, schema}, nil
}

// schemaOf is the schema to answer in, empty if it is none of ours. Where the
// request names none, its namespace tells. Whoever built a client from
// Microsoft's web pages writes https.
func schemaOf(f texts) string {
	asked := f.schema
	if asked == "" {
		asked = f.namespace
	}
	if rest, ok := strings.CutPrefix(asked, "https:"); ok {
		asked = "http:" + rest
	}
	switch {
	case asked == nsOutlook, f.schema == "" && asked == nsOutlookRequest:
		return nsOutlook
	case asked == nsMobileSync, f.schema == "" && asked == nsMobileSyncRequest:
		return nsMobileSync
	}
	return ""
}

func invalid(reason string) *Error {
	return &Error{Code: InvalidRequest, Reason: "the request: " + reason}
}

var errMalformed = errors.New("it is not well-formed XML")

// screen refuses what encoding/xml lets through: document types (entities),
// other encodings than UTF-8, and more elements than anybody needs. NUL and
// other control characters encoding/xml refuses itself. It takes a byte order
// mark off.
func screen(text []byte, elements int) ([]byte, error) {
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
			return text, nil
		}
		if !bytes.HasPrefix(after, []byte("--")) && !bytes.HasPrefix(after, []byte("[CDATA[")) {
			return nil, errors.New("it has a document type")
		}
		rest = after
	}
}
