// Package templates holds what people read: the HTML, style and script of the
// set-up page and its texts, one catalogue per language. All of it is embedded. An
// operator's directory can overlay it, file by file and text by text.
//
//	html/*.html    html/template; page.html is the whole page, the others are parts of it
//	text/LANG.json a flat object of texts by key, LANG is a BCP 47 tag
//	static/        style.css and copy.js
//
// The data that templates receive is described in internal/setup/pagedata.go.
//
// To add a language, add one file to text. In a text, **words** become bold and
// {name} is replaced with a value; everything else is literal and is escaped in
// HTML. A template gets a text with
//
//	{{t "key" "name" value …}}     for the content of an element
//	{{text "key" "name" value …}}  for an attribute, without bold
//
// Answers to mail clients are not made here: they are documents of a format and
// never text templates.
package templates
