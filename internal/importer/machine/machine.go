// Package machine reads what Postfix and Dovecot are configured to do, and drafts a
// configuration that tells mail clients so. It asks the programs of this machine, or reads
// what they printed elsewhere.
package machine

import (
	"context"

	"signpost/internal/importer/draft"
)

// Programs says which programs of this machine are asked.
type Programs struct {
	Postfix bool // by postconf
	Dovecot bool // by doveconf
}

// Installed returns the programs that this machine has.
func Installed() Programs {
	_, noPostfix := find("postconf")
	_, noDovecot := find("doveconf")
	return Programs{Postfix: noPostfix == nil, Dovecot: noDovecot == nil}
}

// Read runs the programs and adds to the draft what they say. It reads the files that
// they name, such as certificates and Postfix's tables. Nothing is started but the
// programs that print a configuration.
func Read(ctx context.Context, p Programs, d *draft.Draft) error {
	texts, err := p.run(ctx)
	if err != nil {
		return err
	}
	return Draft(texts, ofThisMachine, d)
}

// Text is a configuration: what a program printed, or a file.
type Text struct {
	Path string // of the file, or the command; for messages
	Data []byte

	printed bool // by a program of this machine
}

// Files reads a file that a configuration names.
type Files func(path string) ([]byte, error)
