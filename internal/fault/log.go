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
// 3.2.3), or at the quotation mark that begins it.
func WithoutLocalParts(text string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '@')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		begin := localPart(text[:at])
		b.WriteString(text[:begin])
		if begin < at {
			b.WriteString("…")
		}
		b.WriteByte('@')
		text = text[at+1:]
	}
}

// localPart returns where the local part at the end of text begins.
func localPart(text string) int {
	for _, mark := range []string{`\"`, `"`} { // escaped, or not
		if quoted, ok := strings.CutSuffix(text, mark); ok {
			if begin := strings.LastIndex(quoted, mark); begin >= 0 {
				return begin
			}
			return len(text)
		}
	}
	return strings.LastIndexAny(text, " \t\r\n\"()<>[],:;\\") + 1
}
