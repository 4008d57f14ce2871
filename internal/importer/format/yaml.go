package format

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxYAMLDepth is more than any tool's configuration has.
const maxYAMLDepth = 32

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// readYAML reads a document as a tree of texts. Aliases, merges and further documents are
// refused: no tool's configuration needs them, and small ones can grow without end.
func readYAML(f File) (v jsonValue, err error) {
	data, err := text(f)
	if err != nil {
		return v, err
	}
	defer func() {
		if r := recover(); r != nil { // yaml.v3 panics on some crafted documents
			err = faultAt(f.Path, 0, "the document is not YAML: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(strings.NewReader(data))
	var root yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return v, faultAt(f.Path, 1, "the document is empty")
	} else if err != nil {
		line, reason := 0, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
			reason = m[2]
		}
		return v, faultAt(f.Path, line, "%s", reason)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return v, faultAt(f.Path, 0, "there is more than one document in the file")
	}
	v, line, err := yamlValue(&root, 0)
	if err != nil {
		return v, faultAt(f.Path, line, "%v", err)
	}
	return v, nil
}

var errAnchor = errors.New("anchors, aliases and merges are not read; write the values out")

func yamlValue(n *yaml.Node, depth int) (v jsonValue, line int, err error) {
	v.line = n.Line
	switch {
	case depth > maxYAMLDepth:
		return v, n.Line, errors.New("there are too many values within one another")
	case n.Kind == yaml.DocumentNode:
		return yamlValue(n.Content[0], depth+1)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return v, n.Line, errAnchor
	case n.Kind == yaml.ScalarNode:
		v.text = n.Value
		if n.Tag == "!!null" {
			v.text, v.null = "", true
		}
	case n.Kind == yaml.SequenceNode:
		v.array = true
		for _, c := range n.Content {
			item, line, err := yamlValue(c, depth+1)
			if err != nil {
				return v, line, err
			}
			v.items = append(v.items, item)
		}
	case n.Kind == yaml.MappingNode:
		v.object, v.fields = true, map[string]jsonValue{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Tag == "!!merge":
				return v, key.Line, errAnchor
			case key.Kind != yaml.ScalarNode:
				return v, key.Line, errors.New("a key that is not a word")
			}
			if _, twice := v.fields[key.Value]; twice {
				return v, key.Line, fmt.Errorf("the key %s comes twice", key.Value)
			}
			field, line, err := yamlValue(n.Content[i+1], depth+1)
			if err != nil {
				return v, line, err
			}
			v.keys = append(v.keys, key.Value)
			v.fields[key.Value] = field
		}
	}
	return v, 0, nil
}
