package filewatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher says when files have changed. It watches their folders, because
// editors, package managers and Kubernetes put new files in place of old ones,
// and the folders of the links that lead to them. What happens where no event
// comes from, such as in a folder that is not there yet or on a network's file
// system, is seen when it looks by itself every few seconds.
type Watcher struct {
	// Changed receives when files have changed and come to rest since.
	Changed <-chan struct{}

	changed chan struct{}
	notify  *fsnotify.Watcher
	check   *time.Timer
	rest    time.Duration
	every   *time.Ticker

	mu     sync.Mutex
	files  []string
	stamps map[string]fs.FileInfo // what is known of each; nil where it is not there
}

// New watches nothing yet, and until ctx is done. A change is told when
// nothing has happened for the time of rest: a file is written in several steps,
// and a certificate comes with its key.
func New(ctx context.Context, rest time.Duration) (*Watcher, error) {
	return newWatcher(ctx, rest, lookEvery)
}

// lookEvery is how often files are looked at without an event.
const lookEvery = 5 * time.Second

func newWatcher(ctx context.Context, rest, every time.Duration) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	w := &Watcher{Changed: changed, changed: changed, notify: notify, rest: rest, check: time.NewTimer(rest), every: time.NewTicker(every)}
	w.check.Stop()
	go w.run(ctx)
	return w, nil
}

// Watch watches these files, and folders with what is in them, in place of
// those before. They need not exist. A file that was watched already has changed
// if it is not as it was at the last Look: who loads files looks first, and what
// is written during the load is not missed. An error says that changes are seen
// late, by looking only.
func (w *Watcher) Watch(files []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.stamps
	w.files, w.stamps = files, stampsOf(files)
	// Of a folder, that goes for what has come or gone, too.
	watched := func(path string) bool {
		return slices.ContainsFunc(files, func(file string) bool {
			file = filepath.Clean(file)
			_, ok := known[file]
			return ok && (path == file || strings.HasPrefix(path, file+separator))
		})
	}
	maps.DeleteFunc(w.stamps, func(path string, _ fs.FileInfo) bool { return watched(path) })
	for path, before := range known {
		if watched(path) {
			w.stamps[path] = before
		}
	}
	w.check.Reset(w.rest)
	return w.follow()
}

// follow asks for events from all folders that matter now.
func (w *Watcher) follow() (err error) {
	folders := map[string]bool{}
	for path, info := range stampsOf(w.files) {
		foldersTo(path, folders)
		if info != nil && info.IsDir() {
			if real, err := filepath.EvalSymlinks(path); err == nil {
				folders[real] = true
			}
		}
	}
	for _, old := range w.notify.WatchList() {
		if !folders[old] {
			w.notify.Remove(old)
		} else {
			delete(folders, old)
		}
	}
	for folder := range folders {
		if add := w.notify.Add(folder); add != nil && !errors.Is(add, fs.ErrNotExist) {
			err = fmt.Errorf("%s: %w", folder, add)
		}
	}
	return err
}

// foldersTo adds the folders, by their own names, in which a change can make the
// path lead elsewhere: that of the file, and those of the links on the way.
func foldersTo(path string, folders map[string]bool) {
	rest, done := strings.Split(filepath.Clean(path), separator), ""
	if filepath.IsAbs(path) {
		rest, done = rest[1:], separator
	}
	for links := 0; len(rest) > 0; {
		next := filepath.Join(done, rest[0])
		info, err := os.Lstat(next)
		last := len(rest) == 1
		rest = rest[1:]
		switch {
		case err != nil:
			// The rest is not there; its first part would come here.
			folders[cmp.Or(done, ".")] = true
			return
		case info.Mode()&fs.ModeSymlink == 0:
			if done = next; last {
				folders[filepath.Dir(next)] = true
			}
			continue
		}
		folders[cmp.Or(done, ".")] = true
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

const (
	separator = string(filepath.Separator)
	maxLinks  = 40 // as Linux has it (path_resolution(7))
)

// Look takes note of the files as they are now.
func (w *Watcher) Look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamps = stampsOf(w.files)
}

func (w *Watcher) run(ctx context.Context) {
	defer w.notify.Close()
	defer w.every.Stop()
	var latest time.Time // to look, in a folder in which there is never rest
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.notify.Events:
		case <-w.notify.Errors: // the queue of events has run over
		case <-w.every.C:
			if !latest.IsZero() || !w.differ() {
				continue
			}
		case <-w.check.C:
			latest = time.Time{}
			if !w.differ() {
				continue // another file of the folder
			}
			select {
			case w.changed <- struct{}{}:
			default: // told, and not yet heard
			}
			w.mu.Lock()
			w.follow() // a link may lead elsewhere now
			w.mu.Unlock()
			continue
		}
		now := time.Now()
		if latest.IsZero() {
			latest = now.Add(maxRests * w.rest)
		}
		w.check.Reset(min(w.rest, latest.Sub(now)))
	}
}

// maxRests is how many times of rest are waited for one.
const maxRests = 10

// differ reports whether a file is not as it was at the last Look.
func (w *Watcher) differ() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := stampsOf(w.files)
	if len(now) != len(w.stamps) {
		return true
	}
	for path, info := range now {
		before, ok := w.stamps[path]
		if !ok || !sameFile(info, before) {
			return true
		}
	}
	return false
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	// A folder also changes by files that are none of ours; those in it are
	// looked at themselves.
	return os.SameFile(a, b) && (a.IsDir() && b.IsDir() || a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size())
}

// maxStamps keeps a wrong folder from being watched in its entirety.
const maxStamps = 1000

func stampsOf(files []string) map[string]fs.FileInfo {
	stamps := make(map[string]fs.FileInfo, len(files))
	for _, file := range files {
		file = filepath.Clean(file)
		info, err := os.Stat(file)
		if err != nil {
			stamps[file] = nil
			continue
		}
		stamps[file] = info
		if !info.IsDir() {
			continue
		}
		// With the separator, a link to a folder is that folder.
		filepath.WalkDir(file+separator, func(path string, _ fs.DirEntry, err error) error {
			path = filepath.Clean(path)
			if len(stamps) >= maxStamps {
				return filepath.SkipAll
			}
			if err != nil {
				return nil
			}
			if stamps[path], err = os.Stat(path); err != nil {
				stamps[path] = nil
			}
			return nil
		})
	}
	return stamps
}
