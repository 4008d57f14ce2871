package document

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// PACC is what draft-ietf-mailmaint-pacc §4.1 puts into its document, in the order of
// the document. Names are as written: draft -02 says smtp, -03 submit.
type PACC struct {
	Protocols []Protocol
	// Password reports whether a password is offered; Issuer is that of "oauth-public".
	Password bool
	Issuer   string
}

// Protocol is a member of PACC's "protocols".
type Protocol struct{ Name, Host, URL string }

// ReadPACC reads a PACC document. Members that it does not know do not matter.
func ReadPACC(body []byte) (PACC, error) {
	var d struct {
		Protocols      json.RawMessage
		Authentication struct {
			Password bool
			OAuth    struct{ Issuer string } `json:"oauth-public"`
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return PACC{}, fmt.Errorf("not a PACC document: %w", err)
	}
	p := PACC{Password: d.Authentication.Password, Issuer: d.Authentication.OAuth.Issuer}
	names, err := members(d.Protocols)
	if err != nil {
		return PACC{}, fmt.Errorf("protocols of a PACC document: %w", err)
	}
	byName := map[string]struct{ Host, URL string }{}
	if len(names) > 0 {
		if err := json.Unmarshal(d.Protocols, &byName); err != nil {
			return PACC{}, fmt.Errorf("protocols of a PACC document: %w", err)
		}
	}
	for _, name := range names {
		p.Protocols = append(p.Protocols, Protocol{name, byName[name].Host, byName[name].URL})
	}
	return p, nil
}

// members returns the names of an object's members in their order.
func members(object json.RawMessage) ([]string, error) {
	if len(object) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("no object")
	}
	var names []string
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		names = append(names, name)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// AutodiscoverJSON is an answer of Autodiscover version 2.
type AutodiscoverJSON struct{ Protocol, URL string }

// ReadAutodiscoverJSON reads an answer of Autodiscover version 2.
func ReadAutodiscoverJSON(body []byte) (AutodiscoverJSON, error) {
	var a AutodiscoverJSON
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("not an Autodiscover answer: %w", err)
	}
	if a.URL == "" {
		return a, fmt.Errorf("not an Autodiscover answer: no Url")
	}
	return a, nil
}
