package config

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// maxExplained bounds what is read again and again to find the line.
const maxExplained = 1 << 20

// explain turns an error of the YAML library into a line and words with a cure.
// The library names the line where the enclosing block begins, one too few at
// times or none at all. The shortest beginning of the file that fails in the
// same words ends in the line that people look for.
func explain(data []byte, err error, try func([]byte) error) (line int, text string) {
	words := yamlLine.ReplaceAllString(err.Error(), "")
	if match := yamlLine.FindStringSubmatch(err.Error()); match[1] != "" {
		line, _ = strconv.Atoi(match[1])
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	if len(data) <= maxExplained {
		end := make([]int, len(lines)+1)
		for i, l := range lines {
			end[i+1] = end[i] + len(l)
		}
		line = sort.Search(len(lines), func(n int) bool {
			err := try(data[:end[n]])
			return err != nil && yamlLine.ReplaceAllString(err.Error(), "") == words
		})
	}
	line = min(max(line, 1), len(lines))
	return line, "not readable as YAML: " + cure(string(lines[line-1]), words)
}

// specials find values that begin with what means something to YAML, and
// something else to whoever writes a mail configuration, by the library's words.
var specials = map[string]*regexp.Regexp{
	"found character that cannot start any token":           valueOf("%@`"),
	"did not find expected alphabetic or numeric character": valueOf("*&"),
	"unknown anchor": valueOf("*"),
}

func valueOf(first string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[:,\[{-]|\s)\s*([` + first + `][^\s,\]}]*)`)
}

// cure says what to do about a line that the library could not read.
func cure(line, words string) string {
	for beginning, value := range specials {
		if match := value.FindStringSubmatch(line); match != nil && strings.HasPrefix(words, beginning) {
			return "a value cannot begin with " + match[1][:1] + `, quote it: "` + match[1] + `"`
		}
	}
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "the line is indented with a tab, use spaces"
	case strings.HasPrefix(words, "mapping values are not allowed"):
		return "a colon where none can stand: quote the value, or look at the line above, which may lack its colon or be indented less"
	case strings.HasPrefix(words, "could not find expected ':'"):
		return `a key without a colon: write "key: value", with a space after the colon`
	case strings.HasPrefix(words, "did not find expected key"), strings.HasPrefix(words, "did not find expected '-' indicator"),
		strings.HasPrefix(words, "block sequence entries are not allowed"):
		return "the indentation of this line does not fit the lines above"
	case strings.HasPrefix(words, "exceeded max depth"):
		return "lists and mappings are nested too deeply"
	case strings.HasPrefix(words, "did not find expected ',' or"), strings.HasPrefix(words, "did not find expected node content"):
		return "a bracket or brace that opens here is not closed, or a comma or value is missing"
	case strings.HasPrefix(words, "found unexpected end of stream"):
		return "a quotation mark that opens here is not closed"
	}
	return words
}
