package templates

import (
	"errors"
	"html/template"
	"text/template/parse"
)

// usedKeys finds the keys that templates name, and where.
func usedKeys(pages *template.Template) map[string]Fault {
	keys := map[string]Fault{}
	for _, t := range pages.Templates() {
		if t.Tree == nil {
			continue
		}
		walk(t.Tree.Root, func(call *parse.CommandNode) {
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

// walk calls do for each command below a node.
func walk(node parse.Node, do func(*parse.CommandNode)) {
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
