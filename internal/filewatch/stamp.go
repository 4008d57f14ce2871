package filewatch

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// stamp is the state of a file, or of a directory with everything below it: by
// path, nil for what does not exist.
type stamp map[string]fs.FileInfo

// maxStamp keeps a wrong directory, such as /, from being watched entirely.
const maxStamp = 1000

func stampOf(file string) stamp {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{file: nil}
	}
	s := stamp{file: info}
	if !info.IsDir() {
		return s
	}
	// With the separator, WalkDir follows a link to a directory.
	filepath.WalkDir(file+separator, func(path string, _ fs.DirEntry, _ error) error {
		if len(s) >= maxStamp {
			return filepath.SkipAll
		}
		path = filepath.Clean(path)
		s[path], _ = os.Stat(path)
		return nil
	})
	return s
}

func (s stamp) equal(other stamp) bool { return maps.EqualFunc(s, other, unchanged) }

// unchanged reports whether a file is the same with the same content. The
// permissions count as well: a file that could not be read may be readable now.
func unchanged(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if !os.SameFile(a, b) {
		return false
	}
	// Other files may come and go in a directory; those of ours have entries of
	// their own.
	return a.IsDir() && b.IsDir() || a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}
