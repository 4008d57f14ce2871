package templates

import (
	"bytes"
	"strings"
)

// served returns the style or the script as browsers get it. An operator's file is left
// as it is.
func (l *loader) served(name string) []byte {
	f := l.files[name]
	if !f.embedded {
		return f.data
	}
	short := withoutComments(f.data)
	if name == styleFile {
		short = []byte(withoutBlanks.Replace(string(short)))
	}
	return short
}

// withoutComments leaves out the lines of comments, indentation and empty lines. It is
// for the embedded files, where a comment has lines of its own and no string spans lines.
func withoutComments(data []byte) []byte {
	var b bytes.Buffer
	inComment := false
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		inComment = inComment || bytes.HasPrefix(line, []byte("/*"))
		switch {
		case inComment:
			inComment = !bytes.HasSuffix(line, []byte("*/"))
		case len(line) > 0 && !bytes.HasPrefix(line, []byte("//")):
			b.Write(line)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// withoutBlanks leaves out what stands in a style for its reader only. No string of the
// embedded one has such a blank.
var withoutBlanks = strings.NewReplacer("; }", "}", ";\n}", "\n}", " {", "{", "{ ", "{", " }", "}",
	": ", ":", "; ", ";", ", ", ",")
