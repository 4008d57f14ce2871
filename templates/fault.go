package templates

import (
	"regexp"
	"strconv"

	"signpost/internal/fault"
)

// templateError matches the place in an error of text/template or html/template:
// template: html/form.html:12:5: executing "form" at <.Foo>: …
var templateError = regexp.MustCompile(`(?:html/)?template: ?([^\s:]+\.html):(\d+)(?::\d+)?: ` +
	`(?:executing "[^"]*" at <.*?>: |executing "[^"]*": )?`)

// goType matches the name of a Go type in such an error, which means nothing to
// operators.
var goType = regexp.MustCompile(` in type \*?[\w.]+|: \{state.*`)

// failedCall matches the library's introduction to the error of a function that a
// template calls.
var failedCall = regexp.MustCompile(`^(?:error calling \w+: |html/template: ?)+`)

// faultOf turns an error of the template library into a fault. The fault is in
// file if the error names no other.
func faultOf(err error, file string) fault.Fault {
	text := err.Error()
	f := fault.Fault{File: file}
	// The last place is that of the innermost included template.
	if all := templateError.FindAllStringSubmatchIndex(text, -1); all != nil {
		match := all[len(all)-1]
		f.File = text[match[2]:match[3]]
		f.Line, _ = strconv.Atoi(text[match[4]:match[5]])
		text = text[match[1]:]
	}
	f.Text = goType.ReplaceAllString(failedCall.ReplaceAllString(text, ""), "")
	return f
}

// FaultOf returns where Execute failed and why. The reason may quote the data.
func FaultOf(err error) fault.Fault { return faultOf(err, "html/page.html") }
