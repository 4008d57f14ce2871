// Package filewatch reports changes of files.
package filewatch

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher reports when files have changed. It asks the system for events of their
// directories, because editors, package managers and Kubernetes replace files
// instead of writing to them, and of the directories of the symbolic links that
// lead to them. Changes without an event, as on a network file system or in a
// directory that does not exist yet, are noticed by a check every few seconds.
type Watcher struct {
	// Changed receives a value when files have changed and have been at rest since.
	Changed <-chan struct{}

	changed chan struct{}
	events  *fsnotify.Watcher // nil if failure is set
	failure error             // why the system reports no events
	rest    time.Duration
	restEnd *time.Timer

	mu     sync.Mutex
	files  []string
	stamps map[string]stamp // by file
}

// pollInterval is the time between two checks without an event.
const pollInterval = 5 * time.Second

// New returns a Watcher that runs until ctx is done; Watch tells it what to watch.
// It reports a change when nothing has happened for the rest time, because a file
// may be written in several steps, and a certificate is replaced with its key.
func New(ctx context.Context, rest time.Duration) *Watcher {
	return newWatcher(ctx, rest, pollInterval)
}

func newWatcher(ctx context.Context, rest, poll time.Duration) *Watcher {
	changed := make(chan struct{}, 1)
	w := &Watcher{Changed: changed, changed: changed, rest: rest, restEnd: time.NewTimer(rest)}
	w.restEnd.Stop()
	w.events, w.failure = fsnotify.NewWatcher()
	go w.run(ctx, poll)
	return w
}

// Watch watches these files in place of those watched before, and directories with
// everything below them. They need not exist. A file that was watched already
// keeps its state: if it has changed since the last Refresh, that is still
// reported. A caller that loads the files should call Refresh first. It then
// misses nothing that is written during the load. An error means that the system
// does not report events for some files, so that their changes are noticed late.
func (w *Watcher) Watch(files []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.stamps
	w.files, w.stamps = nil, make(map[string]stamp, len(files))
	for _, file := range files {
		file = filepath.Clean(file)
		known, ok := before[file]
		if !ok {
			known = stampOf(file)
		}
		w.files, w.stamps[file] = append(w.files, file), known
	}
	w.restEnd.Reset(w.rest)
	return w.follow()
}

// Refresh records the present state of the files and returns those that have
// changed since it was called last. A directory stands for everything below it.
func (w *Watcher) Refresh() (changed []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, file := range w.files {
		if now := stampOf(file); !now.equal(w.stamps[file]) {
			w.stamps[file] = now
			changed = append(changed, file)
		}
	}
	return changed
}

// differ reports whether a file has changed since the last Refresh.
func (w *Watcher) differ() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.files, func(file string) bool { return !stampOf(file).equal(w.stamps[file]) })
}

// maxRests bounds how long the rest time is waited for, as a multiple of it: some
// directories are never at rest.
const maxRests = 10

func (w *Watcher) run(ctx context.Context, poll time.Duration) {
	var events <-chan fsnotify.Event
	var overflows <-chan error // the queue of events has overflowed
	if w.events != nil {
		defer w.events.Close()
		events, overflows = w.events.Events, w.events.Errors
	}
	every := time.NewTicker(poll)
	defer every.Stop()
	var deadline time.Time // zero if no event has come since the last check
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
		case <-overflows:
		case <-every.C:
			if !deadline.IsZero() || !w.differ() {
				continue
			}
		case <-w.restEnd.C:
			deadline = time.Time{}
			if w.differ() { // else another file of the directory has changed
				w.report()
			}
			continue
		}
		now := time.Now()
		if deadline.IsZero() {
			deadline = now.Add(maxRests * w.rest)
		}
		w.restEnd.Reset(min(w.rest, deadline.Sub(now)))
	}
}

func (w *Watcher) report() {
	select {
	case w.changed <- struct{}{}:
	default: // the previous report has not been received yet
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow() // a symbolic link may lead elsewhere now
}
