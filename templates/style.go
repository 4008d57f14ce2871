package templates

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	cssComment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSelector = regexp.MustCompile(`([^{};]+)\{`)
	cssClass    = regexp.MustCompile(`\.[A-Za-z_][\w-]*`)
	// usedClass matches where a template or the script names classes.
	usedClass = regexp.MustCompile(`class(?:Name)? ?= ?"([^"]*)"`)
	word      = regexp.MustCompile(`[\w-]+`)
)

// checkStyle warns of classes in an operator's style that the page does not have: its
// HTML has probably changed since the style was written.
func (l *loader) checkStyle() {
	if l.files[styleFile].embedded {
		return
	}
	used := map[string]bool{}
	for name, f := range l.files {
		if path.Dir(name) != "html" && name != scriptFile {
			continue
		}
		for _, match := range usedClass.FindAllSubmatch(f.data, -1) {
			for _, class := range word.FindAllString(string(match[1]), -1) {
				used["."+class] = true
			}
		}
	}
	var unused []string
	for _, match := range cssSelector.FindAllSubmatch(cssComment.ReplaceAll(l.files[styleFile].data, nil), -1) {
		for _, class := range cssClass.FindAllString(string(match[1]), -1) {
			if !used[class] && !slices.Contains(unused, class) {
				unused = append(unused, class)
			}
		}
	}
	if len(unused) > 0 {
		l.warn(styleFile, "has rules for "+strings.Join(unused, ", ")+", which the page does not have; "+
			"compare it with the original")
	}
}
