package format

import "strings"

// readSconf reads a file in mox's own format (github.com/mjl-/sconf, parse.go): "key: value" on a
// line, one tab more for what is within a value, lists of "- value", and "-" alone before an item
// that has keys of its own. A line with # is a comment; a value is never quoted.
func readSconf(f File) (jsonValue, error) {
	data, err := text(f)
	if err != nil {
		return jsonValue{}, err
	}
	r := sconfReader{file: f.Path}
	number := 0
	for l := range strings.Lines(data) {
		number++
		l = strings.TrimRight(l, " \r\n")
		content := strings.TrimLeft(l, "\t")
		if content != "" && !strings.HasPrefix(strings.TrimSpace(content), "#") {
			r.lines = append(r.lines, sconfLine{number: number, tabs: len(l) - len(content), text: content})
		}
	}
	if len(r.lines) == 0 {
		return jsonValue{}, faultAt(f.Path, 1, "the file has no keys")
	}
	root, err := r.block(0)
	if err == nil && len(r.lines) > 0 {
		err = r.tooDeep()
	}
	root.line = 1
	return root, err
}

type sconfLine struct {
	number, tabs int
	text         string
}

// sconfReader holds the lines that are not read yet.
type sconfReader struct {
	file  string
	lines []sconfLine
}

func (r *sconfReader) tooDeep() error {
	return faultAt(r.file, r.lines[0].number, "the line has too many tabs before it")
}

// block reads the lines that begin with so many tabs, and what is within them: keys, or the items
// of a list.
func (r *sconfReader) block(tabs int) (v jsonValue, err error) {
	if tabs > maxJSONDepth {
		return v, faultAt(r.file, r.lines[0].number, "there are too many values within one another")
	}
	v.fields = map[string]jsonValue{}
	for len(r.lines) > 0 && r.lines[0].tabs >= tabs {
		line := r.lines[0]
		if line.tabs > tabs {
			return v, r.tooDeep()
		}
		item, isItem := strings.CutPrefix(line.text, "- ")
		if line.text == "-" {
			item, isItem = "", true
		}
		key, value, ok := strings.Cut(line.text, ":")
		_, twice := v.fields[key]
		switch {
		case isItem && v.object, !isItem && v.array:
			return v, faultAt(r.file, line.number, "keys and the items of a list do not go together")
		case isItem:
			v.array = true
			item, err := r.value(item, tabs)
			if err != nil {
				return v, err
			}
			v.items = append(v.items, item)
			continue
		case !ok || key == "" || key[0] == ' ' || value != "" && value[0] != ' ':
			return v, faultAt(r.file, line.number, "the line is no \"key: value\", with tabs before it")
		case twice:
			return v, faultAt(r.file, line.number, "the key %s comes twice", key)
		}
		v.object = true
		v.keys = append(v.keys, key)
		if v.fields[key], err = r.value(value, tabs); err != nil {
			return v, err
		}
	}
	return v, nil
}

// value reads the value that begins with a text in the first line. Without a text, it may go on
// in the lines below.
func (r *sconfReader) value(text string, tabs int) (v jsonValue, err error) {
	number := r.lines[0].number
	r.lines = r.lines[1:]
	if text = strings.TrimSpace(text); text == "" && len(r.lines) > 0 && r.lines[0].tabs > tabs {
		v, err = r.block(tabs + 1)
	} else if text != "nil" { // a mapping without keys
		v.text = text
	}
	v.line = number
	return v, err
}
