package format

import (
	"io/fs"
	"path/filepath"
	"slices"

	"signpost/internal/importer/draft"
	"signpost/internal/importer/machine"
)

// postfixDovecot is what postconf, postconf -M and doveconf -n print, saved to files; or
// main.cf, master.cf and dovecot.conf themselves. They are one format, because neither
// server alone says how people sign in, and where.
var postfixDovecot = Format{
	Name:  "postfix-dovecot",
	Title: "a configuration of Postfix or Dovecot",
	Is:    func(f File) bool { return machine.Is(f.Data) },
	Read: func(files []File, d *draft.Draft) error {
		texts := make([]machine.Text, len(files))
		for i, f := range files {
			texts[i] = machine.Text{Path: f.Path, Data: f.Data}
		}
		// What the configuration of another machine names is not looked for on this one.
		return machine.Draft(texts, func(path string) ([]byte, error) {
			i := slices.IndexFunc(files, func(f File) bool { return filepath.Base(f.Path) == filepath.Base(path) })
			if i < 0 {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return files[i].Data, nil
		}, d)
	},
}
