package templates

import (
	"strings"
	"testing"
	"testing/fstest"
	"text/template/parse"
)

// TestFold checks that no template looks up a text without values for each page, in
// whichever branch it stands, and that an operator's texts come out as they stand.
func TestFold(t *testing.T) {
	for _, lang := range embeddedSet(t).Languages {
		for _, tmpl := range templatesOf(lang.pages) {
			walk(tmpl.Tree.Root, func(node parse.Node) {
				call, ok := node.(*parse.CommandNode)
				if !ok || len(call.Args) != 2 {
					return
				}
				if name, ok := call.Args[0].(*parse.IdentifierNode); ok && name.Ident == "t" {
					if _, ok := call.Args[1].(*parse.StringNode); ok {
						t.Errorf("%s in %s: the template still looks up %s", tmpl.Name(), lang.Tag, call)
					}
				}
			})
		}
	}
	set, err := Load(fstest.MapFS{
		"text/en.json":  {Data: []byte(`{"form.title": "A & **B** <i>"}`)},
		"html/ask.html": {Data: []byte(`{{define "ask"}}{{with .}}[{{t "form.title"}}{{t "form.title"}}]{{end}}{{end}}{{define "contact"}}{{end}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := set.Languages[0].pages.ExecuteTemplate(&b, "ask", 1); err != nil {
		t.Fatal(err)
	}
	if want := "[A &amp; <b>B</b> &lt;i&gt;A &amp; <b>B</b> &lt;i&gt;]"; b.String() != want {
		t.Errorf("the template writes %q, want %q", b.String(), want)
	}
}
