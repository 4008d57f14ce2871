package mobileconfig

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"

	"signpost/account"
)

// prepared is a profile for every mailbox of a provider, made once and then only
// completed. It gives the bytes that Document gives.
type prepared struct {
	id    identity
	parts []part
	size  int
}

// part is a text with placeholders followed by what depends on the mailbox in
// another way.
type part struct {
	text account.Template
	hole hole
	kind kind // of a holeUUID
}

type hole int

const (
	holeNone hole = iota
	holeHash
	holeUUID
	holeName
)

// prepare makes the profile for the mailbox %EMAILADDRESS% of somebody called
// by a UUID and takes it apart where that mailbox's identity and name stand;
// these marks are unique, and the text between is a Template. The settings must
// be Ordinary, and Options.Service given.
func prepare(s account.Settings, o Options) (*prepared, error) {
	base := service(o.Service)
	b := newBuilder(s.Provider, o)
	b.address = account.EmailAddress
	b.id = base.of(account.EmailAddress)
	b.provider = account.Verbatim(b.provider)
	b.description = account.Verbatim(b.description)
	b.texts.Mail = account.Verbatim(b.texts.Mail)
	b.texts.Calendars = account.Verbatim(b.texts.Calendars)
	b.texts.Contacts = account.Verbatim(b.texts.Contacts)

	marks := map[string]part{b.id.hash: {hole: holeHash}}
	for _, k := range kinds {
		marks[b.id.uuid(k)] = part{hole: holeUUID, kind: k}
	}
	if o.Name != "" {
		b.name = b.id.uuid("name")
		marks[b.name] = part{hole: holeName}
	}

	servers := slices.Clone(s.Servers)
	for i := range servers {
		// What Expand leaves as it is.
		servers[i].Login.DomainName = account.Verbatim(servers[i].Login.DomainName)
		servers[i].PathPrefix = account.Verbatim(servers[i].PathPrefix)
	}
	document, err := b.build(servers, o.MailOnly)
	if err != nil {
		return nil, err
	}
	p := &prepared{id: base, size: len(document)}
	for rest := string(document); rest != ""; {
		at, mark := len(rest), ""
		for m := range marks {
			if i := strings.Index(rest, m); i >= 0 && i < at {
				at, mark = i, m
			}
		}
		next := marks[mark] // holeNone after the last mark
		next.text = account.ParseTemplate(rest[:at])
		p.parts = append(p.parts, next)
		rest = rest[at+len(mark):]
	}
	return p, nil
}

// complete is the profile for a mailbox. The name has been cleaned and is empty
// exactly if it was empty when the profile was prepared.
func (p *prepared) complete(a account.Address, name string) []byte {
	id := p.id.of(a.Key())
	document := make([]byte, 0, p.size+p.size/4)
	for _, part := range p.parts {
		document = part.text.Append(document, a, escapeXML)
		switch part.hole {
		case holeHash:
			document = append(document, id.hash...)
		case holeUUID:
			document = append(document, id.uuid(part.kind)...)
		case holeName:
			document = escapeXML(document, name)
		}
	}
	return document
}

// escapeXML escapes as the property list encoder does.
func escapeXML(dst []byte, text string) []byte {
	if strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return append(dst, text...)
	}
	buffer := bytes.NewBuffer(dst)
	xml.EscapeText(buffer, []byte(text)) // writing into memory does not fail
	return buffer.Bytes()
}

// plain are the characters that never need escaping; almost all addresses have
// no others.
func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r == '.' || r == '-' || r == '_' || r == '@' || r == '+' || r == ' '
}
