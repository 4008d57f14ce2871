package sqldb

import (
	"errors"
	"fmt"
	"strings"

	"signpost/internal/fault"
)

// query is a query of the operator's as the database gets it.
type query struct {
	option string // which key it comes from
	sql    string
	holes  string   // a letter for each parameter, in order: s, u or d
	tokens []token  // what the operator wrote
	result []string // the names of its columns, nil if they cannot be known from its text
	stmt   statement
}

// rewrite makes bound parameters of the placeholders. The text that it returns depends on
// the text of the query alone, never on what is asked for: a key cannot change a query. allowed
// lists the letters that may follow a %.
//
// What stands inside quotation marks is not decoded but cut at the placeholders, so that
// every piece keeps its escapes: '@%d' becomes CONCAT('@', ?) in MySQL and
// ('@' || CAST($1 AS text)) in PostgreSQL.
func rewrite(source, allowed string, syntax *syntax) (*query, error) {
	tokens, err := scan(source, syntax)
	if err != nil {
		return nil, err
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].isSign(";") {
		tokens = tokens[:len(tokens)-1]
	}
	if err := checkStatement(tokens); err != nil {
		return nil, err
	}
	w := &writer{syntax: syntax, allowed: allowed}
	for i, t := range tokens {
		if t.blank && i > 0 {
			w.sql.WriteByte(' ')
		}
		if err := w.token(t, i > 0 && tokens[i-1].isSign("=")); err != nil {
			return nil, err
		}
	}
	return &query{sql: w.sql.String(), holes: string(w.holes), tokens: tokens, result: resultColumns(tokens)}, nil
}

// checkStatement returns an error unless the tokens are one statement that reads.
func checkStatement(tokens []token) error {
	if len(tokens) == 0 || !tokens[0].is("SELECT") && !tokens[0].is("WITH") {
		return fault.WithHint(errors.New("the query does not begin with SELECT or WITH"), "Signpost only reads")
	}
	depth, reads := 0, false
	for _, t := range tokens {
		switch {
		case t.isSign("("):
			depth++
		case t.isSign(")"):
			depth--
		case t.isSign(";"):
			return fault.WithHint(errors.New("the query has a second statement behind a ;"), "write one SELECT")
		case depth == 0 && t.is("INTO"):
			return fault.WithHint(errors.New("the query writes, with INTO"), "Signpost only reads")
		case depth == 0 && t.is("SELECT"):
			reads = true
		case depth == 0 && !reads && (t.is("INSERT") || t.is("UPDATE") || t.is("DELETE") || t.is("MERGE") ||
			t.is("REPLACE")):
			return fault.WithHint(fmt.Errorf("the query writes, with %s", strings.ToUpper(t.body)),
				"Signpost only reads")
		}
		if depth < 0 {
			break
		}
	}
	switch {
	case depth != 0:
		return errors.New("the query has a parenthesis without its partner")
	case !reads:
		return errors.New("the query has WITH but no SELECT behind it")
	}
	return nil
}

// writer writes the query for the database.
type writer struct {
	syntax  *syntax
	allowed string
	sql     strings.Builder
	holes   []byte
}

// token writes a token. compared is set if it follows an = directly.
func (w *writer) token(t token, compared bool) error {
	switch t.kind {
	case hole:
		return w.hole(t.body[0], compared)
	case name:
		pieces, err := cut(t)
		if err != nil {
			return err
		}
		if len(pieces) > 1 {
			return fault.WithHint(fmt.Errorf("the query has a placeholder inside the name %s…%s", t.open, t.close),
				"texts stand in single quotation marks: '%s'")
		}
		w.sql.WriteString(t.open + pieces[0] + t.close)
	case text:
		return w.text(t, compared)
	default:
		w.sql.WriteString(t.body)
	}
	return nil
}

// text writes a text literal. Its pieces lie between its placeholders.
func (w *writer) text(t token, compared bool) error {
	pieces, err := cut(t)
	if err != nil {
		return err
	}
	if len(pieces) > 1 && t.glued {
		return fault.WithHint(errors.New("the query has a placeholder inside a text with a prefix, such as N'…'"),
			"write the text without the prefix")
	}
	if len(pieces) == 3 && pieces[0] == "" && pieces[2] == "" {
		return w.hole(pieces[1][0], compared)
	}
	if len(pieces) == 1 {
		w.sql.WriteString(t.open + pieces[0] + t.close)
		return nil
	}
	var parts []string
	for i, piece := range pieces {
		switch {
		case i%2 == 1:
			mark, err := w.mark(piece[0], false)
			if err != nil {
				return err
			}
			parts = append(parts, mark)
		case piece != "":
			parts = append(parts, t.open+piece+t.close)
		}
	}
	w.sql.WriteString(w.syntax.join(parts))
	return nil
}

// hole writes the parameter for a placeholder.
func (w *writer) hole(letter byte, compared bool) error {
	mark, err := w.mark(letter, compared)
	w.sql.WriteString(mark)
	return err
}

// mark returns the mark of one more parameter.
func (w *writer) mark(letter byte, compared bool) (string, error) {
	if strings.IndexByte(w.allowed, letter) < 0 {
		if w.allowed == "" {
			return "", fault.WithHint(fmt.Errorf("the query of the whole list has the placeholder %%%c", letter),
				"nothing is asked for here: leave the condition out")
		}
		return "", fault.WithHint(fmt.Errorf("the query of a domain has the placeholder %%%c", letter),
			"a domain has no part in front of an @: write %s")
	}
	w.holes = append(w.holes, letter)
	return w.syntax.parameter(len(w.holes), compared), nil
}

// cut cuts what stands in quotation marks at its placeholders. The pieces are a text, the
// letter of a placeholder, a text and so on; there is always one text more. %% becomes %.
func cut(t token) ([]string, error) {
	pieces := []string{}
	var piece strings.Builder
	for i := 0; i < len(t.body); i++ {
		c := t.body[i]
		switch {
		case c == '\\' && t.escapes && i+1 < len(t.body):
			if t.body[i+1] == '%' {
				return nil, fault.WithHint(errors.New(`the query has a \ in front of a %`),
					"a percent sign is written %%")
			}
			piece.WriteString(t.body[i : i+2])
			i++
		case c != '%':
			piece.WriteByte(c)
		default:
			letter, err := placeholder(t.body[i:])
			if err != nil {
				return nil, err
			}
			i++
			if letter == '%' {
				piece.WriteByte('%')
				continue
			}
			pieces = append(pieces, piece.String(), string(letter))
			piece.Reset()
		}
	}
	return append(pieces, piece.String()), nil
}

// placeholder returns the letter of the placeholder at the start of rest, or '%' for a
// percent sign.
func placeholder(rest string) (byte, error) {
	if len(rest) < 2 {
		return 0, fault.WithHint(errors.New("the query ends a text with a single %"), "a percent sign is written %%")
	}
	switch c := rest[1]; {
	case c == 's' || c == 'u' || c == 'd' || c == '%':
		return c, nil
	case c == 'S' || c == 'U' || c == 'D' || '1' <= c && c <= '9':
		return 0, fault.WithHint(fmt.Errorf("the query has %%%c, which only Postfix knows", c),
			"%s is the address, %u what stands before the @, %d what stands behind it")
	}
	return 0, fault.WithHint(errors.New("the query has a % that is followed by none of s, u, d and %"),
		"a percent sign is written %%; %s is the address, %u what stands before the @, %d what stands behind it")
}
