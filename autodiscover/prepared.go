package autodiscover

import (
	"strings"
	"sync"

	"signpost/account"
)

// prepared holds, by *account.Provider, the answers of one kind that differ
// between mailboxes in the address only. Each is written once, with
// placeholders; a handler lives no longer than the configuration that it was
// made for, so nothing is ever dropped.
type prepared struct {
	write func(view) ([]byte, error)
	done  sync.Map
}

// answer is a prepared document, or why there is none.
type answer struct {
	document account.Template
	err      error
}

// append appends the document for the settings to dst.
func (p *prepared) append(dst []byte, s account.Settings) ([]byte, error) {
	if s.Provider == nil || !s.Cacheable() {
		document, err := p.write(view{settings: s})
		return append(dst, document...), err
	}
	known, ok := p.done.Load(s.Provider)
	if !ok {
		document, err := p.write(view{settings: s, prepare: true})
		known, _ = p.done.LoadOrStore(s.Provider, &answer{account.ParseTemplate(string(document)), err})
	}
	a := known.(*answer)
	if a.err != nil {
		return dst, a.err
	}
	return a.document.Append(dst, s.Address, escape), nil
}

// escape appends a text as etree writes it between tags.
func escape(dst []byte, text string) []byte {
	if !strings.ContainsAny(text, `&<>'"`) {
		return append(dst, text...)
	}
	for i := range len(text) {
		switch c := text[i]; c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '\'':
			dst = append(dst, "&apos;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
