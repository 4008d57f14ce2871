package templates

import (
	"text/template/parse"
)

// settle puts the texts into a tree that are the same for everybody, in place of
// the calls for them. Those are most, and a call costs more than all that is
// written between two of them.
func settle(list *parse.ListNode, lang *Language) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if text := constant(n.Pipe, lang); text != nil {
				list.Nodes[i] = text
			}
		case *parse.IfNode:
			settle(n.List, lang)
			settle(n.ElseList, lang)
		case *parse.RangeNode:
			settle(n.List, lang)
			settle(n.ElseList, lang)
		case *parse.WithNode:
			settle(n.List, lang)
			settle(n.ElseList, lang)
		}
	}
}

// constant is the text of {{t "key"}}, nil for anything else.
func constant(pipe *parse.PipeNode, lang *Language) *parse.TextNode {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 2 {
		return nil
	}
	name, isName := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	key, isText := pipe.Cmds[0].Args[1].(*parse.StringNode)
	if !isName || name.Ident != "t" || !isText {
		return nil
	}
	text, err := lang.markup(key.Text)
	if err != nil || text == "" {
		return nil // it has names to fill in
	}
	// Only a parser makes nodes that know their place, which error messages
	// need. No text holds these delimiters.
	trees, err := parse.Parse(key.Text, string(text), "\x00{", "}\x00")
	if err != nil || len(trees[key.Text].Root.Nodes) != 1 {
		return nil
	}
	node, _ := trees[key.Text].Root.Nodes[0].(*parse.TextNode)
	return node
}
