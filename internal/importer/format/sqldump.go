package format

import (
	"fmt"
	"strings"
)

// sqlRow is a row of a table with the line in which it stands.
type sqlRow struct {
	line   int
	values map[string]string // by column; NULL is missing
}

// sqlTables are the rows of tables by the table's name, in lower case.
type sqlTables map[string][]sqlRow

// readDump reads the tables of a dump that sqlite3, mysqldump or pg_dump has written: the columns
// of CREATE TABLE, the rows of INSERT and, of pg_dump, of COPY. It runs nothing.
func readDump(f File) (sqlTables, error) {
	data, err := text(f)
	if err != nil {
		return nil, err
	}
	if err := isWhole(f.Path, data); err != nil {
		return nil, err
	}
	s := &sqlScanner{text: data, line: 1, backslashes: strings.Contains(data, "INSERT INTO `")}
	tables, columns := sqlTables{}, map[string][]string{}
	for {
		line := s.line
		words, err := s.statement()
		if err != nil {
			return nil, faultAt(f.Path, s.line, "%v", err)
		}
		if words == nil {
			return tables, nil
		}
		switch {
		case len(words) > 3 && words.are("create", "table"):
			name, list := words[2:].skip("if", "not", "exists").table()
			columns[name] = list.columns()
		case len(words) > 3 && words.are("insert", "into"):
			name, rest := words[2:].table()
			if err := insert(tables, name, columns[name], rest); err != nil {
				return nil, faultAt(f.Path, line, "%v", err)
			}
		case len(words) > 3 && words.are("copy"):
			name, list := words[1:].table()
			if err := s.copy(tables, name, list.columns()); err != nil {
				return nil, faultAt(f.Path, s.line, "%v", err)
			}
		}
	}
}

// dumpEnds are how the programs begin and end a dump.
var dumpEnds = [][2]string{
	{"-- MySQL dump", "-- Dump completed"},
	{"-- MariaDB dump", "-- Dump completed"},
	{"-- PostgreSQL database dump", "-- PostgreSQL database dump complete"},
	{"BEGIN TRANSACTION;", "COMMIT;"}, // sqlite3
}

// isWhole refuses a dump that lacks its last line: it was cut off, even if between two statements.
func isWhole(path, data string) error {
	for _, mark := range dumpEnds {
		_, rest, begins := strings.Cut("\n"+data, "\n"+mark[0])
		if begins && !strings.Contains(rest, "\n"+mark[1]) {
			return faultAt(path, 1+strings.Count(data, "\n"), "the dump ends without the line %q: it was cut off",
				mark[1])
		}
	}
	return nil
}

// sqlWord is a word, a sign or a text of a statement.
type sqlWord struct {
	text   string
	quoted bool // a text in single quotation marks
	name   bool // a name in quotation marks
	line   int
}

type sqlWords []sqlWord

func (w sqlWords) are(words ...string) bool {
	for i, word := range words {
		if i >= len(w) || w[i].quoted || !strings.EqualFold(w[i].text, word) {
			return false
		}
	}
	return true
}

func (w sqlWords) skip(words ...string) sqlWords {
	if w.are(words...) {
		return w[len(words):]
	}
	return w
}

// table returns the name of a table without its schema, and what follows.
func (w sqlWords) table() (string, sqlWords) {
	if len(w) > 2 && w[1].text == "." {
		w = w[2:]
	}
	if len(w) == 0 {
		return "", nil
	}
	return strings.ToLower(w[0].text), w[1:]
}

// columns returns the names of the columns in the parentheses at the start of w.
func (w sqlWords) columns() (names []string) {
	depth, first := 0, false
	for _, word := range w {
		switch {
		case word.text == "(" && !word.quoted:
			depth++
			first = depth == 1
			continue
		case word.text == ")" && !word.quoted:
			if depth--; depth == 0 {
				return names
			}
		case word.text == "," && !word.quoted && depth == 1:
			first = true
			continue
		}
		if first && depth == 1 {
			first = false
			switch strings.ToLower(word.text) {
			case "primary", "unique", "constraint", "foreign", "key", "check", "index", "fulltext":
				if !word.name {
					continue
				}
			}
			names = append(names, strings.ToLower(word.text))
		}
	}
	return names
}

// maxSQLRows bounds what is kept of a dump.
const maxSQLRows = 5_000_000

// insert adds the rows of an INSERT statement, from what follows the table's name.
func insert(tables sqlTables, name string, columns []string, w sqlWords) error {
	if len(w) > 0 && w[0].text == "(" {
		columns = w.columns()
		for len(w) > 0 && w[0].text != ")" {
			w = w[1:]
		}
		w = w[min(1, len(w)):]
	}
	if !w.are("values") {
		return nil // INSERT … SELECT, which no dump has
	}
	w = w[1:]
	for len(w) > 0 {
		if w[0].text != "(" || w[0].quoted {
			return fmt.Errorf("the rows of table %s cannot be read", name)
		}
		row := sqlRow{line: w[0].line, values: map[string]string{}}
		w = w[1:]
		for i := 0; ; i++ {
			if len(w) < 2 {
				return fmt.Errorf("a row of table %s does not end", name)
			}
			value := w[0]
			w = w[1:]
			for len(w) > 0 && (w[0].quoted || w[0].text != "," && w[0].text != ")") {
				if w[0].quoted { // E'x', _binary 'x'
					value = w[0]
				} else { // -1
					value = sqlWord{text: value.text + w[0].text, quoted: value.quoted}
				}
				w = w[1:]
			}
			if i < len(columns) && (value.quoted || !strings.EqualFold(value.text, "null")) {
				row.values[columns[i]] = value.text
			}
			if len(w) == 0 {
				return fmt.Errorf("a row of table %s does not end", name)
			}
			end := w[0].text
			w = w[1:]
			if end == ")" {
				break
			}
		}
		if len(tables[name]) >= maxSQLRows {
			return fmt.Errorf("table %s has more than %d rows", name, maxSQLRows)
		}
		tables[name] = append(tables[name], row)
		if len(w) > 0 && w[0].text == "," && !w[0].quoted {
			w = w[1:]
		}
	}
	return nil
}

// sqlScanner splits a dump into statements.
type sqlScanner struct {
	text        string
	at          int
	line        int
	backslashes bool // begin escapes in every text, as in MySQL
}

func (s *sqlScanner) next() byte {
	c := s.text[s.at]
	if c == '\n' {
		s.line++
	}
	s.at++
	return c
}

// statement returns the words of the next statement without its semicolon, nil at the end.
// Statements that hold no table's rows may be cut.
func (s *sqlScanner) statement() (sqlWords, error) {
	words := sqlWords{}
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch c := rest[0]; {
		case c == ';':
			s.next()
			if len(words) > 0 {
				return words, nil
			}
		case strings.HasPrefix(rest, "--"), c == '#' && len(words) == 0, c == '\\' && len(words) == 0:
			for s.at < len(s.text) && s.text[s.at] != '\n' {
				s.next()
			}
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return nil, fmt.Errorf("a comment does not end")
			}
			for range end + 2 {
				s.next()
			}
		case c == '\'' || c == '"' || c == '`':
			line := s.line
			text, err := s.quoted(c)
			if err != nil {
				return nil, err
			}
			words = append(words, sqlWord{text, c == '\'', c != '\'', line})
		case strings.ContainsRune(" \t\r\n", rune(c)):
			s.next()
		case strings.ContainsRune("(),.=", rune(c)) && !isNumber(rest):
			words = append(words, sqlWord{text: string(c), line: s.line})
			s.next()
		default:
			begin, line := s.at, s.line
			for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n(),;'\"`=", rune(s.text[s.at])) &&
				(s.text[s.at] != '.' || isNumber(s.text[begin:])) {
				s.next()
			}
			if s.at == begin {
				s.next()
			}
			words = append(words, sqlWord{text: s.text[begin:s.at], line: line})
		}
	}
	if len(words) > 0 && (words.are("insert") || words.are("create", "table")) {
		return nil, fmt.Errorf("the file ends in the middle of a statement")
	}
	return nil, nil
}

func isNumber(text string) bool { return text != "" && '0' <= text[0] && text[0] <= '9' }

// quoted reads a text in quotation marks, in which they are doubled. By mysqldump, and in
// PostgreSQL's E'text', a backslash begins an escape; everywhere else it stands for itself.
func (s *sqlScanner) quoted(mark byte) (string, error) {
	var b strings.Builder
	line := s.line
	escapes := mark == '\'' && (s.backslashes || s.at > 0 && s.text[s.at-1] == 'E')
	s.next()
	for s.at < len(s.text) {
		switch c := s.next(); {
		case c == '\\' && escapes && s.at < len(s.text):
			switch e := s.next(); e {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '0', 'Z', 'b', 'r':
			default:
				b.WriteByte(e)
			}
		case c != mark:
			b.WriteByte(c)
		case s.at < len(s.text) && s.text[s.at] == mark:
			b.WriteByte(s.next())
		default:
			return b.String(), nil
		}
	}
	return "", fmt.Errorf("the text that begins in line %d does not end", line)
}

// copy reads the rows behind COPY … FROM stdin; which are lines with tabs, up to \. (PostgreSQL,
// COPY, "Text Format").
func (s *sqlScanner) copy(tables sqlTables, name string, columns []string) error {
	for s.at < len(s.text) && s.text[s.at] != '\n' {
		s.next()
	}
	for s.at < len(s.text) {
		s.next() // the end of the line before
		end := strings.IndexByte(s.text[s.at:], '\n')
		if end < 0 {
			break
		}
		line := strings.TrimSuffix(s.text[s.at:s.at+end], "\r")
		if line == `\.` {
			s.at += end
			return nil
		}
		row := sqlRow{line: s.line, values: map[string]string{}}
		for i, field := range strings.Split(line, "\t") {
			if i < len(columns) && field != `\N` {
				row.values[columns[i]] = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n").Replace(field)
			}
		}
		if len(tables[name]) >= maxSQLRows {
			return fmt.Errorf("table %s has more than %d rows", name, maxSQLRows)
		}
		tables[name] = append(tables[name], row)
		s.at += end
	}
	return fmt.Errorf("the rows of table %s do not end", name)
}
