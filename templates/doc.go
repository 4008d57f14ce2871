// Package templates holds what people read: the set-up page's HTML, its style
// and script, and its texts, one catalogue for each language. They are embedded;
// an operator's folder can overlay them file by file, and text by text.
//
//	html/*.html    html/template; page.html is the whole, the others are its parts
//	text/LANG.json a flat object of texts by key, LANG a BCP 47 tag
//	static/        style.css and copy.js
//
// What the templates are given is described in internal/setup/view.go.
//
// Adding a language is adding one file under text. In a text, **words** come out
// bold and {name} is filled in with a value; everything else is literal and
// escaped where it goes into HTML. A template gets a text with
//
//	{{t "key" "name" value …}}     for the content of an element
//	{{text "key" "name" value …}}  for an attribute, without the bold
//
// No answer to a mail client is made here: those are documents of a format and
// never text templates.
package templates
