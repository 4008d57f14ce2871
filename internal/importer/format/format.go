// Package format reads the files of other tools that tell mail clients their settings: one
// format, one file of this package.
package format

import "signpost/internal/importer/draft"

// File is a file to import.
type File struct {
	Path string // as the operator named it, for messages
	// Data is the content. Of a SQLite database it is only the beginning.
	Data []byte
}

// Format is a kind of file of another tool.
type Format struct {
	Name  string // the word after -format
	Title string // for people, as in "automx2's seed file"
	// Is reports whether the file is of this format. It looks at the content and, where
	// that says too little, at the name.
	Is func(File) bool
	// Read adds to the draft what the files say. They are all files of this format that
	// the operator named, in order. The error is a fault.List where a place is known.
	Read func(files []File, d *draft.Draft) error
}

// All are the known formats, in the order in which they are tried.
var All = []Format{
	autoconfigXML,
	automx2Seed,
	automx2Database,
	automxINI,
	appleProfiles,
	mox,
	mailcow,
	solarssk,
	monogramm,
	wdes,
	goAutoconfigEnv,
	goAutoconfig,
	postfixDovecot,
}
