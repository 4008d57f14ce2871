package config

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// maxExplained is the largest file that explain parses repeatedly to find the line.
const maxExplained = 1 << 20

// explain turns an error of the YAML library into a line and a message that says
// what to do. The library names the line where the enclosing block begins, or a line
// too early, or none at all. The shortest beginning of the file that fails with the
// same message ends in the line that the operator looks for. forLog is the message
// without words of the file, which may name people.
func explain(data []byte, err error) (line int, message, forLog string) {
	match := yamlLine.FindStringSubmatch(err.Error())
	if match != nil {
		line, _ = strconv.Atoi(match[1])
	}
	problem := yamlLine.ReplaceAllString(err.Error(), "")
	lines := bytes.SplitAfter(data, []byte("\n"))
	if len(data) <= maxExplained {
		line = sort.Search(len(lines), func(n int) bool {
			_, err := documents(bytes.Join(lines[:n], nil))
			return err != nil && yamlLine.ReplaceAllString(err.Error(), "") == problem
		})
	}
	line = min(max(line, 1), len(lines))
	text, logged := cure(string(lines[line-1]), problem)
	return line, "not valid YAML: " + text, "not valid YAML: " + logged
}

// unquoted finds, by the library's message, values that begin with a character that
// is special in YAML and common in a mail configuration.
var unquoted = map[string]*regexp.Regexp{
	"found character that cannot start any token":           valueWith("%@`"),
	"did not find expected alphabetic or numeric character": valueWith("*&"),
	"unknown anchor": valueWith("*"),
}

func valueWith(first string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[:,\[{-]|\s)\s*([` + first + `][^\s,\]}]*)`)
}

// cures holds what to do about the library's other messages, by their beginning.
var cures = []struct{ problem, cure string }{
	{"mapping values are not allowed", "unexpected colon: quote the value, " +
		"or look at the line above, which may lack its colon or be indented less"},
	{"could not find expected ':'", `a key without a colon: write "key: value", with a space after the colon`},
	{"did not find expected key", badIndent},
	{"did not find expected '-' indicator", badIndent},
	{"block sequence entries are not allowed", badIndent},
	{"exceeded max depth", "lists and mappings are nested too deeply"},
	{"did not find expected ',' or", unclosed},
	{"did not find expected node content", unclosed},
	{"found unexpected end of stream", "a quotation mark that opens here is not closed"},
}

const (
	badIndent = "the indentation of this line does not match the lines above"
	unclosed  = "a bracket or brace that opens here is not closed, or a comma or value is missing"
)

// cure says what to do about a line that the library could not read, with the words of
// the line and, for a log, without.
func cure(line, problem string) (text, forLog string) {
	for beginning, value := range unquoted {
		if match := value.FindStringSubmatch(line); match != nil && strings.HasPrefix(problem, beginning) {
			text = "a value cannot begin with " + match[1][:1] + ", quote it"
			return text + `: "` + match[1] + `"`, text
		}
	}
	if indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; strings.Contains(indent, "\t") {
		text = "the line is indented with a tab, use spaces"
		return text, text
	}
	for _, c := range cures {
		if strings.HasPrefix(problem, c.problem) {
			return c.cure, c.cure
		}
	}
	return problem, "signpost check says why"
}
