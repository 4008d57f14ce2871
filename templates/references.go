package templates

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"path"
	"slices"
	"text/template/parse"

	"signpost/internal/fault"
)

// checkTexts checks that there is a text for each key that templates use, and that
// the operator's English catalogue adds no text that nothing uses.
func (l *loader) checkTexts() {
	english := l.set.Languages[0].texts
	used := usedKeys(l.pages)
	for _, key := range sortedKeys(used) {
		if _, ok := english[key]; !ok {
			l.fault(used[key].File, used[key].Line, "there is no text %q", key)
		}
	}
	if l.baseEnglish == nil {
		return
	}
	for _, key := range sortedKeys(english) {
		_, inBase := l.baseEnglish[key]
		if _, ok := used[key]; !inBase && !ok && !english.hasForm(key) {
			l.fault("text/en.json", english[key].line, "has %q, which nothing uses", key)
		}
	}
}

// usedKeys returns the keys of the texts that templates use, and where.
func usedKeys(pages *template.Template) map[string]fault.Fault {
	keys := map[string]fault.Fault{}
	for _, t := range templatesOf(pages) {
		walk(t.Tree.Root, func(node parse.Node) {
			call, ok := node.(*parse.CommandNode)
			if !ok {
				return
			}
			name, ok := call.Args[0].(*parse.IdentifierNode)
			if !ok || name.Ident != "t" && name.Ident != "text" || len(call.Args) < 2 {
				return
			}
			if key, ok := call.Args[1].(*parse.StringNode); ok {
				keys[key.Text] = placeOf(t, key)
			}
		})
	}
	return keys
}

// checkIncludes checks that every template that is included exists. If it does not
// because an operator's file took it away, the fault is in that file.
func (l *loader) checkIncludes() {
	included := map[string]fault.Fault{"page": {File: "the program"}, "fragment": {File: "the program"}}
	for _, t := range templatesOf(l.pages) {
		walk(t.Tree.Root, func(node parse.Node) {
			n, ok := node.(*parse.TemplateNode)
			if !ok {
				return
			}
			if _, seen := included[n.Name]; !seen {
				included[n.Name] = placeOf(t, n)
			}
		})
	}
	for _, name := range sortedKeys(included) {
		if l.pages.Lookup(name) != nil {
			continue
		}
		f := included[name]
		f.Text = fmt.Sprintf("there is no template %q", name)
		for _, file := range sortedKeys(l.files) {
			if path.Dir(file) == "html" && defines(l.files[file].base, name) {
				f = fault.Fault{File: file,
					Text: fmt.Sprintf("does not define %q, which %s uses", name, included[name].File)}
			}
		}
		l.faults = append(l.faults, f)
	}
}

// templatesOf returns the templates that have content, sorted by name.
func templatesOf(pages *template.Template) []*template.Template {
	list := slices.DeleteFunc(pages.Templates(), func(t *template.Template) bool { return t.Tree == nil })
	slices.SortFunc(list, func(a, b *template.Template) int { return cmp.Compare(a.Name(), b.Name()) })
	return list
}

// placeOf returns the place of a node of the template.
func placeOf(t *template.Template, node parse.Node) fault.Fault {
	location, _ := t.Tree.ErrorContext(node)
	return faultOf(errors.New("template: "+location+": "), t.Tree.ParseName)
}

// defines reports whether the text of a file defines a template of that name.
func defines(data []byte, name string) bool {
	t, err := template.New("").Funcs(new(Language).functions()).Parse(string(data))
	return err == nil && t.Lookup(name) != nil
}

// walk calls visit for each command and each inclusion below a node.
func walk(node parse.Node, visit func(parse.Node)) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, visit)
		walk(b.List, visit)
		if b.ElseList != nil {
			walk(b.ElseList, visit)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			walk(child, visit)
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		visit(n)
		if n.Pipe != nil {
			walk(n.Pipe, visit)
		}
	case *parse.PipeNode:
		for _, call := range n.Cmds {
			walk(call, visit)
		}
	case *parse.CommandNode:
		visit(n)
		for _, arg := range n.Args {
			if pipe, ok := arg.(*parse.PipeNode); ok {
				walk(pipe, visit)
			}
		}
	}
}
