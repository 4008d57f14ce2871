package templates

import (
	"regexp"
	"strconv"

	"signpost/internal/fault"
)

// templateError is how text/template and html/template say where they are:
// template: html/form.html:12:5: executing "form" at <.Foo>: …
var templateError = regexp.MustCompile(`(?:html/)?template: ?([^\s:]+\.html):(\d+)(?::\d+)?: (?:executing "[^"]*" at <.*?>: |executing "[^"]*": )?`)

// goType is a type of ours in the words of the library, which no operator knows.
var goType = regexp.MustCompile(` in type \*?[\w.]+|: \{state.*`)

// call is how the library says that a function of ours failed.
var call = regexp.MustCompile(`^(?:error calling \w+: |html/template: ?)+`)

// faultOf turns an error of the template library into a fault.
func faultOf(err error, file string) fault.Fault {
	words := err.Error()
	f := fault.Fault{File: file}
	// A template that another includes is named last.
	if all := templateError.FindAllStringSubmatchIndex(words, -1); all != nil {
		match := all[len(all)-1]
		f.File = words[match[2]:match[3]]
		f.Line, _ = strconv.Atoi(words[match[4]:match[5]])
		words = words[match[1]:]
	}
	f.Text = goType.ReplaceAllString(call.ReplaceAllString(words, ""), "")
	return f
}

// FaultOf says where Execute failed and why. The reason may quote the data.
func FaultOf(err error) fault.Fault { return faultOf(err, "html/page.html") }
