package dns

import (
	"strconv"
	"strings"
)

// MaxText is the most bytes that one string of a TXT record can hold (RFC 1035
// §3.3).
const MaxText = 255

// Quote writes a text as the data of a TXT record: strings of at most MaxText
// bytes, in quotation marks (RFC 1035 §5.1).
func Quote(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	for {
		chunk := text[:min(len(text), MaxText)]
		text = text[len(chunk):]
		b.WriteByte('"')
		for i := range len(chunk) {
			switch c := chunk[i]; {
			case c == '"' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < ' ' || c > '~':
				b.WriteByte('\\')
				b.WriteString(strconv.Itoa(1000 + int(c))[1:])
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
		if text == "" {
			return b.String()
		}
		b.WriteByte(' ')
	}
}

// Unquote returns the text of a TXT record's data. It joins the strings, as
// every reader of TXT records with several strings does.
func Unquote(data string) string { return strings.Join(Strings(data), "") }

// Strings returns the strings of a TXT record's data, one by one.
func Strings(data string) []string {
	var texts []string
	var text []byte
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"', c == ' ' && !quoted:
			if quoted || len(text) > 0 {
				texts, text = append(texts, string(text)), nil
			}
			quoted = c == '"' && !quoted
		case c == '\\' && i+3 < len(data) && '0' <= data[i+1] && data[i+1] <= '2':
			code, err := strconv.ParseUint(data[i+1:i+4], 10, 8)
			if err != nil {
				return append(texts, string(text))
			}
			text = append(text, byte(code))
			i += 3
		case c == '\\' && i+1 < len(data):
			i++
			text = append(text, data[i])
		default:
			text = append(text, c)
		}
	}
	if len(text) > 0 {
		texts = append(texts, string(text))
	}
	return texts
}
