package mobileconfig

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/smallstep/pkcs7"
)

const (
	maxXMLDepth = 16 // a profile has 6 levels
	maxDERDepth = 24 // certificates have 10 to 12
)

// elements are those of an XML property list.
var elements = []string{"plist", "dict", "array", "key", "string", "integer", "real", "true", "false", "date", "data"}

// scanXML looks through a document before the parser of property lists gets it.
// That parser takes three more formats and builds whatever depth it finds; what
// passes here is UTF-8, one plist element and at most 16 deep. Of document
// types there is only Apple's, without an internal subset.
func scanXML(document []byte) error {
	if !utf8.Valid(document) || bytes.IndexByte(document, 0) >= 0 {
		return errors.New("not a profile: it is not UTF-8")
	}
	decoder := xml.NewDecoder(bytes.NewReader(document))
	depth, roots := 0, 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return errMalformed
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			if depth > maxXMLDepth {
				return errors.New("not a profile: it is nested too deep")
			}
			if !slices.Contains(elements, t.Name.Local) || (depth == 1) != (t.Name.Local == "plist") {
				return errMalformed
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			if !isAppleDoctype(t) {
				return errors.New("not a profile: it has a document type that is not Apple's")
			}
		}
	}
	if depth != 0 || roots != 1 {
		return errMalformed
	}
	return nil
}

func isAppleDoctype(directive []byte) bool {
	words := bytes.Fields(directive)
	return len(words) > 1 && string(words[0]) == "DOCTYPE" && string(words[1]) == "plist" &&
		!bytes.ContainsAny(directive, "[<")
}

// signedContent is the content of CMS SignedData whose signature fits it.
func signedContent(document []byte) ([]byte, error) {
	malformed := errors.New("not a profile: its signature is damaged")
	rest, ok := scanDER(document, maxDERDepth)
	if !ok || len(rest) > 0 {
		return nil, malformed
	}
	signed, err := pkcs7.Parse(document)
	if err != nil {
		return nil, malformed
	}
	if err := signed.Verify(); err != nil {
		return nil, errors.New("not a profile: its signature does not fit its content")
	}
	return signed.Content, nil
}

// scanDER looks through one element and returns what follows it. The parser
// transcodes each level of nesting anew, so depth has to be bounded first; forms
// that DER lacks, such as lengths that are not said, are refused.
func scanDER(data []byte, depth int) (rest []byte, ok bool) {
	if len(data) < 2 || depth == 0 || data[0]&0x1f == 0x1f {
		return nil, false
	}
	constructed := data[0]&0x20 != 0
	length, body := int(data[1]), data[2:]
	if length >= 0x80 {
		octets := length - 0x80
		if octets == 0 || octets > 3 || len(body) < octets {
			return nil, false
		}
		length = 0
		for _, b := range body[:octets] {
			length = length<<8 | int(b)
		}
		body = body[octets:]
	}
	if length > len(body) {
		return nil, false
	}
	for inner := body[:length]; constructed && len(inner) > 0; {
		if inner, ok = scanDER(inner, depth-1); !ok {
			return nil, false
		}
	}
	return body[length:], true
}
