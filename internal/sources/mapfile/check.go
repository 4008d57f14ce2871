package mapfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/regular"
	"signpost/internal/sources/row"
)

// Check reads the files and returns what an operator should know of them. No finding
// holds anything of a file but the numbers of its lines.
func (s *Source) Check(context.Context, string) []row.Finding {
	var found []row.Finding
	readable := true
	for i := range s.files {
		f := &s.files[i]
		r, err := regular.Open(f.path)
		if err == nil {
			r.Close()
		} else if !f.missing(err) {
			found = append(found, row.Finding{Text: f.failed(err).Error(), Cure: cureOf(f.path, err)})
			readable = false
		}
		if f.kind == passwd {
			found = append(found, row.Finding{Warning: true,
				Text: f.path + " holds password hashes, which are not kept; a table such as virtual_mailbox_maps " +
					"names the same mailboxes without them"})
		}
	}
	if !readable {
		return found
	}
	c, err := s.readAll()
	if err != nil {
		return append(found, row.Finding{Text: err.Error()})
	}
	for _, n := range c.notes {
		found = append(found, row.Finding{Text: fmt.Sprintf("%s:%d: %s", n.path, n.line, n.text), Warning: true})
	}
	for i, f := range s.files {
		if c.counts[i] == 0 && f.kind != aliases {
			found = append(found, row.Finding{Text: f.path + " lists nothing", Warning: true})
		}
	}
	return append(found, s.checkPatterns()...)
}

// cureOf returns how a file becomes readable, or "".
func cureOf(path string, err error) string {
	switch {
	case strings.HasPrefix(path, "/home/") || strings.HasPrefix(path, "/root/"):
		return "the unit has ProtectHome=yes; systemctl edit signpost, and write ProtectHome=read-only under [Service]"
	case errors.Is(err, fs.ErrPermission):
		return "setfacl -m u:signpost:r " + path
	}
	return ""
}

// checkPatterns looks for aliases of docker-mailserver that cannot be read.
func (s *Source) checkPatterns() []row.Finding {
	if s.options.Folder == "" {
		return nil
	}
	path := filepath.Join(s.options.Folder, "postfix-regexp.cf")
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	return []row.Finding{{Text: path + " holds patterns, which list nobody; addresses that only they match are " +
		"answered as any other of their domain", Warning: true}}
}
