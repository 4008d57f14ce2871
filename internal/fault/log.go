package fault

import (
	"errors"
	"strings"
)

// ForLog returns the fault as a log may show it: without the local part of any
// address. More people read logs than configurations.
func (f Fault) ForLog() string {
	if f.Text = WithoutLocalParts(f.Text); f.Log != "" {
		f.Text = f.Log
	}
	return f.String()
}

// ForLog returns err with the texts that a log may show in place of those of its
// faults. The hint of err stays.
func ForLog(err error) error {
	l, ok := errors.AsType[List](err)
	if !ok {
		return err
	}
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.ForLog()
	}
	return logged{err, strings.Join(lines, "\n")}
}

// logged is an error with another text.
type logged struct {
	error
	text string
}

func (l logged) Error() string { return l.text }

// Unwrap returns the error with its whole text.
func (l logged) Unwrap() error { return l.error }

// WithoutLocalParts returns text with "…" in place of what stands before each @. A
// local part ends at a character that an unquoted one cannot have (RFC 5322 section
// 3.2.3). What stands in quotation marks is left out from the first mark on: nobody
// knows which of them belong to the local part.
func WithoutLocalParts(text string) string {
	var b strings.Builder
	quoted := false
	for {
		at := strings.IndexByte(text, '@')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		begin := 0
		if mark := strings.IndexByte(text[:at], '"'); mark >= 0 {
			begin, quoted = mark+1, true
		} else if !quoted {
			begin = strings.LastIndexAny(text[:at], " \t\r\n()<>[],:;\\") + 1
		}
		b.WriteString(text[:begin])
		if begin < at {
			b.WriteString("…")
		}
		b.WriteByte('@')
		text = text[at+1:]
	}
}
