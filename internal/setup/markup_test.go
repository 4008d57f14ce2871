package setup

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"signpost/templates"
)

// nativeRoles holds elements that have the role by themselves: the Nu validator warns of
// one that is written out.
var nativeRoles = map[string]string{
	"table": "table", "tbody": "rowgroup", "tr": "row", "td": "cell", "th": "rowheader", "ul": "list", "li": "listitem",
	"a": "link", "button": "button", "main": "main", "nav": "navigation", "form": "form", "figure": "figure",
}

// TestMarkup checks every kind of page for what the Nu validator finds: URLs with spaces,
// roles that an element has by itself, an ID that is there twice, a heading that skips a
// level, and a list of terms with other things in it.
func TestMarkup(t *testing.T) {
	set := templates.Embedded()
	for _, lang := range set.Languages {
		for i, page := range samplePages(set, lang) {
			var b strings.Builder
			if err := lang.Execute(&b, page); err != nil {
				t.Fatal(err)
			}
			root, err := html.Parse(strings.NewReader(b.String()))
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range markupFaults(root) {
				t.Errorf("sample page %d in %s: %s", i, lang.Tag, fault)
			}
		}
	}
}

// TestMarkupFinds checks that TestMarkup would find faults.
func TestMarkupFinds(t *testing.T) {
	for page, want := range map[string]string{
		`<a href="data:a b">x</a>`:                           `the href of <a> has a space`,
		`<table role="table"></table>`:                       `<table> has the role table by itself`,
		`<p id="x"></p><p id="x"></p>`:                       `the ID "x" is there twice`,
		`<h1>x</h1><h3>x</h3>`:                               `<h3> follows <h1>`,
		`<dl><p>x</p></dl>`:                                  `<dl> has <p> in it`,
		`<dl><div><dt>x</dt><dd>y</dd></div></dl><h1>x</h1>`: "",
	} {
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(markupFaults(root), "; "); got != want {
			t.Errorf("faults of %s = %q, want %q", page, got, want)
		}
	}
}

func markupFaults(root *html.Node) []string {
	var faults []string
	ids := map[string]bool{}
	heading := "h0"
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch {
			case (a.Key == "href" || a.Key == "src") && strings.ContainsAny(a.Val, " \t\n"):
				faults = append(faults, "the "+a.Key+" of <"+n.Data+"> has a space")
			case a.Key == "role" && nativeRoles[n.Data] == a.Val:
				faults = append(faults, "<"+n.Data+"> has the role "+a.Val+" by itself")
			case a.Key == "id" && ids[a.Val]:
				faults = append(faults, `the ID "`+a.Val+`" is there twice`)
			case a.Key == "id":
				ids[a.Val] = true
			}
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if n.Data[1] > heading[1]+1 {
				faults = append(faults, "<"+n.Data+"> follows <"+heading+">")
			}
			heading = n.Data
		}
		if n.Data == "dl" {
			for child := range n.ChildNodes() {
				if child.Type == html.ElementNode && !slices.Contains([]string{"div", "dt", "dd"}, child.Data) {
					faults = append(faults, "<dl> has <"+child.Data+"> in it")
				}
			}
		}
	}
	return faults
}
