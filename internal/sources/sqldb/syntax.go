package sqldb

import (
	"errors"
	"fmt"
	"strings"

	"signpost/internal/fault"
)

// syntax is how a kind of database writes texts, names and comments.
type syntax struct {
	backslashes  bool   // \ escapes in every text (MySQL)
	doubleTexts  bool   // "…" is a text, not a name (MySQL)
	escapeTexts  bool   // E'…' is a text with \ (PostgreSQL)
	dollarTexts  bool   // $$…$$ and $tag$…$tag$ are texts, and $1 is a parameter (PostgreSQL)
	nested       bool   // comments nest (PostgreSQL)
	hashComments bool   // # begins a comment (MySQL)
	dashBlank    bool   // -- begins a comment only before a blank (MySQL)
	brackets     bool   // […] is a name (SQLite)
	parameters   string // the bytes that begin the database's own parameters

	// parameter returns the mark of the nth parameter. compared is set directly after an =.
	parameter func(n int, compared bool) string
	// join returns the expression that joins texts.
	join func(parts []string) string
}

// kind is the kind of a token.
type kind int

const (
	word kind = iota // an identifier, a key word or a number
	name             // an identifier in quotation marks
	text             // a text literal
	hole             // %s, %u or %d outside of quotation marks
	sign             // one byte of anything else
)

// token is a piece of a query. Comments are none.
type token struct {
	kind        kind
	blank       bool   // there is white space or a comment in front
	open, close string // the quotation marks of a name or a text, with what belongs to them
	body        string // what stands between them, as it is written; otherwise the token itself
	escapes     bool   // \ escapes in the text
	glued       bool   // the text follows a word directly, which changes its meaning
}

// is reports whether the token is the key word, which is written in upper case.
func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.body, keyword) }

// isSign reports whether the token is the byte.
func (t token) isSign(c string) bool { return t.kind == sign && t.body == c }

// scanner splits a query into tokens.
type scanner struct {
	syntax *syntax
	source string
	at     int
	tokens []token
}

// scan splits the query into tokens.
func scan(source string, syntax *syntax) ([]token, error) {
	s := &scanner{syntax: syntax, source: source}
	if strings.Contains(source, "\x00") {
		return nil, errors.New("the query has a zero byte")
	}
	for {
		before := s.at
		if err := s.skip(); err != nil {
			return nil, err
		}
		if s.at == len(s.source) {
			return s.tokens, nil
		}
		t, err := s.next(s.at != before)
		if err != nil {
			return nil, err
		}
		s.tokens = append(s.tokens, t)
	}
}

// skip goes on to what is neither white space nor a comment.
func (s *scanner) skip() error {
	for s.at < len(s.source) {
		rest := s.source[s.at:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			s.at++
		case s.lineComment(rest):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			s.at += end
		case strings.HasPrefix(rest, "/*"):
			if err := s.skipComment(rest); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (s *scanner) lineComment(rest string) bool {
	if s.syntax.hashComments && rest[0] == '#' {
		return true
	}
	return strings.HasPrefix(rest, "--") && (!s.syntax.dashBlank || len(rest) == 2 || rest[2] <= ' ')
}

// skipComment goes on to the end of a comment between /* and */.
func (s *scanner) skipComment(rest string) error {
	if strings.HasPrefix(rest, "/*!") || strings.HasPrefix(rest, "/*M!") {
		return errors.New("the query has a comment that MySQL executes, /*! … */")
	}
	depth := 0
	for i := 0; i+1 < len(rest); i++ {
		switch {
		case rest[i:i+2] == "/*" && (depth == 0 || s.syntax.nested):
			depth++
			i++
		case rest[i:i+2] == "*/":
			depth--
			i++
			if depth == 0 {
				s.at += i + 1
				return nil
			}
		}
	}
	return errors.New("the query has a comment without an end")
}

// next reads the token at the present place.
func (s *scanner) next(blank bool) (token, error) {
	rest := s.source[s.at:]
	t := token{blank: blank}
	switch c := rest[0]; {
	case c == '\'':
		t.glued = !blank && s.at > 0 && (isWord(s.source[s.at-1]) || s.source[s.at-1] == '&')
		return s.quoted(t, text, "'", "'", s.syntax.backslashes)
	case c == '"' && s.syntax.doubleTexts:
		return s.quoted(t, text, `"`, `"`, s.syntax.backslashes)
	case c == '"', c == '`':
		return s.quoted(t, name, rest[:1], rest[:1], false)
	case c == '[' && s.syntax.brackets:
		return s.quoted(t, name, "[", "]", false)
	case (c == 'E' || c == 'e') && s.syntax.escapeTexts && strings.HasPrefix(rest[1:], "'"):
		return s.quoted(t, text, rest[:2], "'", true)
	case c == '$' && s.syntax.dollarTexts:
		if tag := dollarTag(rest); tag != "" {
			return s.quoted(t, text, tag, tag, false)
		}
	case c == '%':
		return s.percent(t, rest)
	case isWord(c):
		end := 1
		for end < len(rest) && (isWord(rest[end]) || rest[end] == '$') {
			end++
		}
		return s.take(t, word, end), nil
	}
	if strings.IndexByte(s.syntax.parameters, rest[0]) >= 0 ||
		s.syntax.dollarTexts && rest[0] == '$' && len(rest) > 1 && '0' <= rest[1] && rest[1] <= '9' {
		return token{}, fault.WithHint(
			fmt.Errorf("the query has a parameter of the database's own, which begins with %c", rest[0]),
			"write %s, %u or %d")
	}
	return s.take(t, sign, 1), nil
}

// take makes the next n bytes the token's.
func (s *scanner) take(t token, kind kind, n int) token {
	t.kind, t.body = kind, s.source[s.at:s.at+n]
	s.at += n
	return t
}

// quoted reads a name or a text up to its closing quotation mark, which stands for itself
// where it is doubled.
func (s *scanner) quoted(t token, kind kind, open, close string, escapes bool) (token, error) {
	rest := s.source[s.at+len(open):]
	doubled := len(close) == 1 && close != "]"
	for i := 0; i < len(rest); i++ {
		switch {
		case escapes && rest[i] == '\\':
			i++
		case !strings.HasPrefix(rest[i:], close):
		case doubled && strings.HasPrefix(rest[i+1:], close):
			i++
		default:
			t.kind, t.open, t.close, t.body, t.escapes = kind, open, close, rest[:i], escapes
			s.at += len(open) + i + len(close)
			return t, nil
		}
	}
	return token{}, fmt.Errorf("the query has a %s without an end", open)
}

// percent reads a placeholder outside of quotation marks.
func (s *scanner) percent(t token, rest string) (token, error) {
	c, err := placeholder(rest)
	if err != nil {
		return token{}, err
	}
	if c == '%' {
		t.kind, t.body = sign, "%"
	} else {
		t.kind, t.body = hole, rest[1:2]
	}
	s.at += 2
	return t, nil
}

// dollarTag returns the mark that begins and ends a text in PostgreSQL ($$ or $tag$), and
// an empty text if there is none at the start of rest.
func dollarTag(rest string) string {
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '$':
			return rest[:i+1]
		case !isWord(c), i == 1 && '0' <= c && c <= '9':
			return ""
		}
	}
	return ""
}

// isWord reports whether c may stand in an identifier, a key word or a number.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
