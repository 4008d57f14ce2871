package service

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/text/language"

	"signpost/account"
	"signpost/internal/certfile"
	"signpost/internal/fault"
	"signpost/templates"
)

// serviceUser is the user that runs the service where a package has installed it.
const serviceUser = "signpost"

// Warnings returns the warnings about the configuration and the page's templates:
// what is allowed but probably not intended.
func (l *Loaded) Warnings() []fault.Fault {
	warnings := slices.Concat(l.Config.Warnings, l.foreignTexts())
	if l.templates != nil {
		warnings = append(warnings, l.templates.Warnings...)
	}
	return warnings
}

// foreignTexts returns a warning for each text for the page in a language that the page
// does not have, so that nobody reads it on a page in that language.
func (l *Loaded) foreignTexts() (warnings []fault.Fault) {
	languages := sync.OnceValue(l.languages)
	warn := func(key string, texts []account.Title) {
		for _, text := range texts {
			if base, _ := language.Make(text.Language).Base(); !slices.Contains(languages(), base) {
				err := fmt.Errorf("the page has no language %s; branding.templates can add it", text.Language)
				warnings = append(warnings, l.Config.Fault(key+"."+text.Language, err))
			}
		}
	}
	for i, p := range l.Config.Providers {
		for j, notice := range p.Notices {
			warn(fmt.Sprintf("providers[%d].notices[%d].text", i, j), notice.Texts)
		}
		for j, check := range p.Support.Checks {
			warn(fmt.Sprintf("providers[%d].support.checks[%d]", i, j), check)
		}
	}
	return warnings
}

// languages returns the languages of the page, without their regions.
func (l *Loaded) languages() (all []language.Base) {
	set := l.templates
	if set == nil {
		set = templates.Embedded()
	}
	for _, lang := range set.Languages {
		base, _ := language.Make(lang.Tag).Base()
		all = append(all, base)
	}
	return all
}

// Unreadable returns a warning for each file that the user of the service cannot read,
// if root asks, who can read everything. TSIG keys are not for the service.
func (l *Loaded) Unreadable() []fault.Fault {
	user, ok := findReader(serviceUser)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return l.unreadableFor(user)
}

func (l *Loaded) unreadableFor(user reader) (warnings []fault.Fault) {
	paths := append(l.files(), l.Config.StoreFiles...)
	pairs := []certfile.Pair{l.Config.Profiles}
	if t := l.Config.TLS; t != nil {
		pairs = append(pairs, t.Certificates...)
		if t.ACME != nil {
			paths = append(paths, t.ACME.CARoot)
		}
	}
	for _, pair := range pairs {
		paths = append(paths, pair.Certificate, pair.Key)
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		if at := closedTo(user, path); path != "" && at != "" {
			text := fmt.Sprintf("the user %s, who runs the service, cannot read it", user.name)
			if at != path {
				text = fmt.Sprintf("the user %s, who runs the service, cannot pass through %s", user.name, at)
			}
			warnings = append(warnings, fault.Fault{File: path, Text: text})
		}
	}
	return warnings
}

// closedTo returns the path if the user cannot read the file, or the directory on the way
// to it that the user cannot pass through. It returns "" if the file can be read, does not
// exist, or has an access list, which may let the user in.
func closedTo(user reader, path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	info, statErr := os.Stat(real)
	if err != nil || statErr != nil {
		return ""
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		if parent, err := os.Stat(dir); err == nil && !user.may(1, parent) && !hasAccessList(dir) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if !user.may(4, info) && !hasAccessList(real) {
		return path
	}
	return ""
}
