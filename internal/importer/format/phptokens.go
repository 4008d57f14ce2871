package format

import "strings"

// phpToken is a word, a variable, a text or a sign of a file of PHP.
type phpToken struct {
	line int
	kind rune   // 'w' a word or number, '$' a variable, '\'' a text, '"' a text with variables, or the sign itself
	text string // without the quotation marks and the $, and with escapes resolved; of '"' as it stands
}

// maxPHP is the size of the largest file of settings that is read.
const maxPHP = 1 << 20

// scanPHP splits a file of PHP into tokens. Comments and what stands outside of <?php … ?> are none.
func scanPHP(f File) ([]phpToken, error) {
	data, err := text(f)
	if err != nil {
		return nil, err
	}
	if len(data) > maxPHP {
		return nil, faultAt(f.Path, 0, "the file is larger than settings are")
	}
	s := phpScanner{file: f.Path, rest: data, line: 1}
	for s.outside(); s.rest != ""; {
		if err := s.token(); err != nil {
			return nil, err
		}
	}
	return s.tokens, nil
}

type phpScanner struct {
	file   string
	rest   string
	line   int
	tokens []phpToken
}

// take takes the next n bytes.
func (s *phpScanner) take(n int) string {
	taken := s.rest[:n]
	s.line += strings.Count(taken, "\n")
	s.rest = s.rest[n:]
	return taken
}

// outside takes what comes before the next piece of PHP.
func (s *phpScanner) outside() {
	at := strings.Index(s.rest, "<?")
	if at < 0 {
		s.take(len(s.rest))
		return
	}
	s.take(at + len("<?"))
	for _, more := range []string{"php", "="} {
		if len(s.rest) >= len(more) && strings.EqualFold(s.rest[:len(more)], more) {
			s.take(len(more))
			return
		}
	}
}

func (s *phpScanner) token() error {
	begins := func(mark string) bool { return strings.HasPrefix(s.rest, mark) }
	add := func(kind rune, text string) { s.tokens = append(s.tokens, phpToken{s.line, kind, text}) }
	switch c := s.rest[0]; {
	case strings.ContainsRune(" \t\r\n\f", rune(c)):
		s.take(1)
	case begins("?>"):
		add(';', ";") // it ends a statement
		s.take(len("?>"))
		s.outside()
	case begins("//"), c == '#':
		end := strings.IndexByte(s.rest, '\n')
		if end < 0 {
			end = len(s.rest)
		}
		if closing := strings.Index(s.rest[:end], "?>"); closing >= 0 {
			end = closing // which a comment does not hide
		}
		s.take(end)
	case begins("/*"):
		end := strings.Index(s.rest[2:], "*/")
		if end < 0 {
			return faultAt(s.file, s.line, "a comment does not end")
		}
		s.take(end + 4)
	case c == '\'' || c == '"':
		return s.quoted(c)
	case begins("<<<"):
		return faultAt(s.file, s.line, "a text that begins with <<< is not read; write it in quotation marks")
	case c == '$' && len(s.rest) > 1 && isWordByte(s.rest[1]):
		n := 1 + wordLength(s.rest[1:])
		add('$', s.rest[1:n])
		s.take(n)
	case isWordByte(c):
		n := wordLength(s.rest)
		add('w', s.rest[:n])
		s.take(n)
	case begins("=>"):
		add('>', s.take(2))
	case begins("==") || begins("!="):
		add('=', strings.TrimRight(s.take(2), "=")+"==")
		if begins("=") {
			s.take(1)
		}
	default:
		add(rune(c), s.take(1))
	}
	return nil
}

// quoted reads a text in quotation marks.
func (s *phpScanner) quoted(mark byte) error {
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case mark:
			t := phpToken{line: s.line, kind: rune(mark), text: s.rest[1:i]}
			if mark == '\'' {
				t.text = strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(t.text)
			}
			s.tokens = append(s.tokens, t)
			s.take(i + 1)
			return nil
		}
	}
	return faultAt(s.file, s.line, "a text in quotation marks does not end")
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func wordLength(text string) int {
	n := 0
	for n < len(text) && isWordByte(text[n]) {
		n++
	}
	return n
}
