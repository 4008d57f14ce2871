package records

import (
	"strconv"
	"strings"
)

// quote writes a text as the data of a TXT record: strings of at most 255
// octets, in quotation marks (RFC 1035 §5.1).
func quote(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	for {
		chunk := text[:min(len(text), 255)]
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

// unquote reads the data of a TXT record, its strings joined as every reader of
// several of them does.
func unquote(data string) string {
	var b strings.Builder
	inside := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			inside = !inside
		case !inside && c == ' ':
		case c == '\\' && i+3 < len(data) && '0' <= data[i+1] && data[i+1] <= '2':
			code, err := strconv.ParseUint(data[i+1:i+4], 10, 8)
			if err != nil {
				return b.String()
			}
			b.WriteByte(byte(code))
			i += 3
		case c == '\\' && i+1 < len(data):
			i++
			b.WriteByte(data[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
