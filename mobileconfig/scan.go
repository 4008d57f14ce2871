package mobileconfig

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"unicode/utf8"
)

// maxDepth bounds the nesting of elements; a profile has 6 levels.
const maxDepth = 16

// elements lists the elements of an XML property list.
var elements = []string{"plist", "dict", "array", "key", "string", "integer", "real", "true", "false", "date", "data"}

// scanXML checks a document before the property list parser reads it. That parser
// accepts three more formats and any depth; scanXML accepts UTF-8 with a single
// plist element, at most 16 levels deep, and of document types only Apple's,
// without an internal subset.
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
			if depth > maxDepth {
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

// isAppleDoctype reports whether a directive is Apple's document type declaration.
func isAppleDoctype(directive []byte) bool {
	fields := bytes.Fields(directive)
	return len(fields) > 1 && string(fields[0]) == "DOCTYPE" && string(fields[1]) == "plist" &&
		!bytes.ContainsAny(directive, "[<")
}
