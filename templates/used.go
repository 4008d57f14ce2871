package templates

import (
	"errors"
	"fmt"
	"html/template"
	"path"
	"text/template/parse"

	"signpost/internal/fault"
)

// usedKeys finds the keys that templates name, and where.
func usedKeys(pages *template.Template) map[string]fault.Fault {
	keys := map[string]fault.Fault{}
	for _, t := range pages.Templates() {
		if t.Tree == nil {
			continue
		}
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
				location, _ := t.Tree.ErrorContext(key)
				keys[key.Text] = faultOf(errors.New("template: "+location+": "), t.Tree.ParseName)
			}
		})
	}
	return keys
}

// lookForTemplates looks for those that others include, or the program, and says
// which of the operator's files took one away.
func (l *loader) lookForTemplates() {
	included := map[string]fault.Fault{"page": {File: "the program"}, "table": {File: "the program"}}
	for _, t := range l.pages.Templates() {
		if t.Tree == nil {
			continue
		}
		walk(t.Tree.Root, func(node parse.Node) {
			if n, ok := node.(*parse.TemplateNode); ok {
				location, _ := t.Tree.ErrorContext(n)
				included[n.Name] = faultOf(errors.New("template: "+location+": "), t.Tree.ParseName)
			}
		})
	}
	for _, name := range sortedKeys(included) {
		if l.pages.Lookup(name) != nil {
			continue
		}
		f := included[name]
		for _, over := range sortedKeys(l.files) {
			if under, err := template.New("").Funcs(placeholders).Parse(string(l.files[over].under)); path.Dir(over) == "html" && err == nil && under.Lookup(name) != nil {
				f = fault.Fault{File: over, Line: 0, Text: fmt.Sprintf("does not define %q, which %s uses", name, f.File)}
			}
		}
		if f.Text == "" {
			f.Text = fmt.Sprintf("there is no template %q", name)
		}
		l.faults = append(l.faults, f)
	}
}

// walk calls do for each command and each inclusion below a node.
func walk(node parse.Node, do func(parse.Node)) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, do)
		walk(b.List, do)
		if b.ElseList != nil {
			walk(b.ElseList, do)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			walk(child, do)
		}
	case *parse.ActionNode:
		walk(n.Pipe, do)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		do(n)
		if n.Pipe != nil {
			walk(n.Pipe, do)
		}
	case *parse.PipeNode:
		for _, call := range n.Cmds {
			walk(call, do)
		}
	case *parse.CommandNode:
		do(n)
		for _, arg := range n.Args {
			if pipe, ok := arg.(*parse.PipeNode); ok {
				walk(pipe, do)
			}
		}
	}
}
