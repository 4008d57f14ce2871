package filewatch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	separator = string(filepath.Separator)
	maxLinks  = 40 // the limit of Linux (path_resolution(7))
)

// follow requests the events of all directories that matter at present. The
// caller holds mu.
func (w *Watcher) follow() error {
	if w.events == nil {
		return w.failure
	}
	directories := map[string]bool{}
	for _, file := range w.files {
		for path, info := range stampOf(file) {
			addDirectories(directories, path)
			if info != nil && info.IsDir() {
				if real, err := filepath.EvalSymlinks(path); err == nil {
					directories[real] = true
				}
			}
		}
	}
	for _, old := range w.events.WatchList() {
		if !directories[old] {
			w.events.Remove(old)
		} else {
			delete(directories, old)
		}
	}
	var failure error
	for directory := range directories {
		if err := w.events.Add(directory); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failure = fmt.Errorf("%s: %w", directory, err)
		}
	}
	return failure
}

// addDirectories adds the directories in which a change can make the path lead
// elsewhere: that of the file, and those of the symbolic links on the way.
func addDirectories(directories map[string]bool, path string) {
	rest, done := strings.Split(filepath.Clean(path), separator), ""
	if filepath.IsAbs(path) {
		rest, done = rest[1:], separator
	}
	for links := 0; len(rest) > 0; {
		next := filepath.Join(done, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil {
			// The missing file or directory would appear here.
			directories[cmp.Or(done, ".")] = true
			return
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if done = next; len(rest) == 0 {
				directories[filepath.Dir(next)] = true
			}
			continue
		}
		directories[cmp.Or(done, ".")] = true
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return
		}
		parts := strings.Split(filepath.Clean(target), separator)
		if filepath.IsAbs(target) {
			parts, done = parts[1:], separator
		}
		rest = append(parts, rest...)
	}
}
