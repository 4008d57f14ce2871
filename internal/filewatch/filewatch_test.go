package filewatch

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	testRest = 20 * time.Millisecond
	never    = time.Hour // as the interval of polling: changes are noticed by events only
)

// watchEvents returns a Watcher, and skips the test if the system has no events.
func watchEvents(t *testing.T, rest, poll time.Duration) *Watcher {
	t.Helper()
	w := newWatcher(t.Context(), rest, poll)
	if w.failure != nil {
		t.Skip("this system cannot watch files: ", w.failure)
	}
	return w
}

// mustReport waits for the report of a change.
func mustReport(t *testing.T, w *Watcher, change string) {
	t.Helper()
	select {
	case <-w.Changed:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: no change reported within 30 s", change)
	}
}

// mustRefresh checks which files Refresh returns.
func mustRefresh(t *testing.T, w *Watcher, change string, want ...string) {
	t.Helper()
	if got := w.Refresh(); !slices.Equal(got, want) {
		t.Errorf("%s: Refresh() = %q, want %q", change, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestChanges(t *testing.T) {
	w := watchEvents(t, testRest, pollInterval)
	dir, other := t.TempDir(), t.TempDir()
	file, link, later := filepath.Join(dir, "a"), filepath.Join(dir, "link"), filepath.Join(dir, "later")
	target := filepath.Join(other, "target")
	texts, linked := filepath.Join(dir, "texts"), filepath.Join(dir, "linked")
	writeFile(t, file, "1")
	writeFile(t, target, "1")
	must(t, os.Mkdir(texts, 0o700))
	must(t, os.Symlink(target, link))
	must(t, os.Symlink(other, linked))
	files := []string{file, link, texts, linked, later}
	w.Watch(files)
	for _, change := range []struct {
		name string
		do   func()
		want []string
	}{
		{"written to", func() { writeFile(t, file, "22") }, []string{file}},
		{"replaced", func() { writeFile(t, file+".new", "22"); os.Rename(file+".new", file) }, []string{file}},
		{"same size", func() { writeFile(t, file, "33") }, []string{file}},
		{"other permissions", func() { must(t, os.Chmod(file, 0o644)) }, []string{file}},
		{"removed", func() { os.Remove(file) }, []string{file}},
		{"created again", func() { writeFile(t, file, "4") }, []string{file}},
		{"created for the first time", func() { writeFile(t, later, "1") }, []string{later}},
		{"target of a link", func() { writeFile(t, target, "55") }, []string{link, linked}},
		{"another link", func() { os.Symlink(file, link+".new"); os.Rename(link+".new", link) }, []string{link}},
		{"created in a linked directory", func() { writeFile(t, filepath.Join(other, "sv.json"), "{}") }, []string{linked}},
		{"written to in a linked directory", func() { writeFile(t, filepath.Join(other, "sv.json"), "{ }") },
			[]string{linked}},
		{"created in a directory", func() { writeFile(t, filepath.Join(texts, "en.json"), "{}") }, []string{texts}},
	} {
		change.do()
		mustReport(t, w, change.name)
		mustRefresh(t, w, change.name, change.want...)
	}
	w.Watch(files)
	mustRefresh(t, w, "no change")
}

// TestOneFile watches a single regular file, whose directory nothing else makes
// the watcher watch.
func TestOneFile(t *testing.T) {
	w := watchEvents(t, testRest, never)
	file := filepath.Join(t.TempDir(), "a")
	writeFile(t, file, "1")
	must(t, w.Watch([]string{file}))
	for _, text := range []string{"22", "333"} { // the check at the end of Watch can notice the first, but not the second
		writeFile(t, file, text)
		mustReport(t, w, "written to")
		mustRefresh(t, w, "written to", file)
	}
}

// TestLinks changes what leads to a file.
func TestLinks(t *testing.T) {
	w := watchEvents(t, testRest, never)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, release := range []string{"1", "2", "3"} {
		must(t, os.MkdirAll(in("releases/"+release), 0o700))
		writeFile(t, in("releases/"+release+"/a"), release)
	}
	link := func(target, name string) {
		t.Helper()
		must(t, os.Symlink(target, in("new")))
		must(t, os.Rename(in("new"), in(name)))
	}
	link("releases/1", "current")
	link(in("current"), "etc")
	must(t, os.Mkdir(in("texts"), 0o700))
	file, later, texts := in("etc/a"), in("later/dir/b"), in("texts")
	files := []string{file, later, texts}
	must(t, w.Watch(files))
	for _, change := range []struct {
		name string
		do   func()
		want string
	}{
		{"the directory behind two links", func() { link("releases/2", "current") }, file},
		{"the same once more", func() { link("releases/3", "current") }, file},
		{"the first of the links", func() { link("releases/1", "etc") }, file},
		{"in the directory to which it leads now", func() { writeFile(t, in("releases/1/a"), "new") }, file},
		{"directories and a file appear", func() {
			must(t, os.MkdirAll(in("made/dir"), 0o700))
			writeFile(t, in("made/dir/b"), "1")
			must(t, os.Rename(in("made"), in("later")))
		}, later},
		{"a directory is removed", func() { must(t, os.RemoveAll(in("later"))) }, later},
		{"and created again", func() {
			must(t, os.MkdirAll(in("made/dir"), 0o700))
			writeFile(t, in("made/dir/b"), "2")
			must(t, os.Rename(in("made"), in("later")))
		}, later},
		{"a watched directory is replaced", func() {
			must(t, os.Rename(in("texts"), in("old")))
			must(t, os.Mkdir(in("texts"), 0o700))
		}, texts},
		{"a file is created in it", func() { writeFile(t, in("texts/en.json"), "{}") }, texts},
	} {
		change.do()
		mustReport(t, w, change.name)
		mustRefresh(t, w, change.name, change.want)
		must(t, w.Watch(files)) // as a reload does
	}
}

// TestPolling relies on the regular check, because no events come.
func TestPolling(t *testing.T) {
	// The check at the end of Watch can notice the first change, but not the second.
	changes := func(t *testing.T, w *Watcher, file string) {
		for _, text := range []string{"22", "333"} {
			writeFile(t, file, text)
			mustReport(t, w, "written to")
			mustRefresh(t, w, "written to", file)
		}
	}
	t.Run("no events of the directory", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a")
		w := watchEvents(t, testRest, testRest)
		writeFile(t, file, "1")
		w.Watch([]string{file})
		for _, directory := range w.events.WatchList() {
			w.events.Remove(directory)
		}
		changes(t, w, file)
	})
	t.Run("no events at all", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a")
		writeFile(t, file, "1")
		synctest.Test(t, func(t *testing.T) {
			w, failure := withoutEvents(t, time.Second, 10*time.Second)
			if err := w.Watch([]string{file}); err != failure {
				t.Errorf("Watch() = %v, want the reason why there are no events: %v", err, failure)
			}
			changes(t, w, file)
		})
	})
}

// withoutEvents returns a Watcher as on a system that reports no events, and the reason.
func withoutEvents(t *testing.T, rest, poll time.Duration) (*Watcher, error) {
	t.Helper()
	changed := make(chan struct{}, 1)
	w := &Watcher{Changed: changed, changed: changed, rest: rest, restEnd: time.NewTimer(rest),
		failure: errors.New("too many open files")}
	w.restEnd.Stop()
	go w.run(t.Context(), poll)
	return w, w.failure
}

// TestTimeBetweenReports checks that a change that nobody reads in is reported again at the
// regular check, and not before.
func TestTimeBetweenReports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	writeFile(t, file, "1")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w, _ := withoutEvents(t, time.Second, 10*time.Second)
		w.Watch([]string{file})
		writeFile(t, file, "22")
		var got []time.Duration
		for range 3 {
			<-w.Changed
			got = append(got, time.Since(start))
		}
		if want := []time.Duration{time.Second, 11 * time.Second, 21 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("the change is reported after %v, want %v", got, want)
		}
		time.Sleep(time.Minute)
		select {
		case <-w.Changed:
		default:
			t.Error("what was reported while nobody listened is lost")
		}
	})
}

// TestWatchedDirectories checks that the system is asked for the events of the directories
// that matter, and for no others, and that a failure to do so is returned.
func TestWatchedDirectories(t *testing.T) {
	w := watchEvents(t, testRest, never)
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		must(t, w.Watch([]string{filepath.Join(dir, "a")}))
		if got := w.events.WatchList(); !slices.Equal(got, []string{dir}) {
			t.Errorf("after Watch in %s, events of %q are requested", dir, got)
		}
	}
	w.events.Close()
	err := w.Watch([]string{filepath.Join(first, "a")})
	if !errors.Is(err, fsnotify.ErrClosed) || !strings.HasPrefix(err.Error(), first+": ") {
		t.Errorf("Watch without the system's help = %v, want %v with the directory", err, fsnotify.ErrClosed)
	}
}

// TestFollowsLinks checks that events of the directory behind a link are requested, and those
// of another one as soon as the link leads there, even if nobody calls Watch.
func TestFollowsLinks(t *testing.T) {
	w := watchEvents(t, testRest, never)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	link := filepath.Join(dir, "link")
	for _, name := range []string{"first", "second"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		must(t, os.Symlink(name, link+".new"))
		must(t, os.Rename(link+".new", link))
		if name == "first" {
			must(t, w.Watch([]string{link}))
		} else {
			mustReport(t, w, "another link")
		}
		real := filepath.Join(dir, name)
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			w.mu.Lock()
			list := w.events.WatchList()
			w.mu.Unlock()
			if slices.Contains(list, real) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("events of %q are requested, want those of %s", list, real)
			}
		}
	}
}

// TestAddDirectories checks which directories can make a path lead elsewhere.
func TestAddDirectories(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	t.Chdir(dir)
	must(t, os.MkdirAll("sub/deep", 0o700))
	writeFile(t, "file", "1")
	writeFile(t, "sub/deep/file", "1")
	for name, target := range map[string]string{"relative": "sub/deep", "absolute": dir + "/sub/deep", "sub/up": "../file",
		"dangling": "nowhere/file", "twice": "relative"} {
		must(t, os.Symlink(target, name))
	}
	for _, row := range []struct {
		path string
		want []string // $ stands for the directory
	}{
		{"file", []string{"."}},
		{"missing", []string{"."}},
		{"missing/file", []string{"."}},
		{"sub/deep/file", []string{"sub/deep"}},
		{"sub/deep/missing", []string{"sub/deep"}},
		{"relative/file", []string{".", "sub/deep"}},
		{"absolute/file", []string{"$/sub/deep", "."}},
		{"twice/file", []string{".", "sub/deep"}},
		{"sub/up", []string{".", "sub"}},
		{"dangling", []string{"."}},
		{"$/file", []string{"$"}},
		{"$/missing/file", []string{"$"}},
		{"$/relative/file", []string{"$", "$/sub/deep"}},
		{"$/absolute/file", []string{"$", "$/sub/deep"}},
		{"$/sub/up", []string{"$", "$/sub"}},
		{"/", []string{"/"}},
	} {
		directories := map[string]bool{}
		addDirectories(directories, strings.ReplaceAll(row.path, "$", dir))
		got := slices.Sorted(maps.Keys(directories))
		for i, path := range got {
			got[i] = strings.ReplaceAll(path, dir, "$")
		}
		slices.Sort(got)
		if !slices.Equal(got, row.want) {
			t.Errorf("addDirectories(%s) = %q, want %q", row.path, got, row.want)
		}
	}
}

// TestLinkLoop follows links that lead to each other.
func TestLinkLoop(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	must(t, os.Symlink(b, a))
	must(t, os.Symlink(a, b))
	directories := map[string]bool{}
	addDirectories(directories, filepath.Join(a, "file"))
	if !directories[dir] {
		t.Errorf("addDirectories found %v, want the directory of the links, %s", directories, dir)
	}
}

// TestChangeDuringLoad writes between Refresh and Watch, as happens while a
// configuration is loaded. No event may follow any more.
func TestChangeDuringLoad(t *testing.T) {
	w := newWatcher(t.Context(), testRest, never)
	dir := t.TempDir()
	file, texts := filepath.Join(dir, "a"), filepath.Join(dir, "texts")
	must(t, os.Mkdir(texts, 0o700))
	files := []string{file, texts}
	inside := filepath.Join(texts, "en.json")
	w.Watch(files)
	for _, change := range []struct {
		name string
		do   func()
		want string
	}{
		{"a file", func() { writeFile(t, file, "changed while it was read") }, file},
		{"created in a directory", func() { writeFile(t, inside, "{}") }, texts},
		{"removed from a directory", func() { os.Remove(inside) }, texts},
	} {
		w.Refresh()
		change.do()
		w.Watch(files)
		mustReport(t, w, change.name)
		mustRefresh(t, w, change.name, change.want)
	}
	w.Watch(files)
	mustRefresh(t, w, "no change")
}

// TestOtherFiles changes another file of the directory.
func TestOtherFiles(t *testing.T) {
	w := newWatcher(t.Context(), time.Hour, never)
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	writeFile(t, file, "1")
	w.Watch([]string{file})
	writeFile(t, filepath.Join(dir, "b"), "1")
	if w.differ() {
		t.Error("a change of another file counts")
	}
	writeFile(t, file, "22")
	if !w.differ() {
		t.Error("a change of the file itself does not count")
	}
}

// TestBusyDirectory changes a file in a directory that is never at rest.
func TestBusyDirectory(t *testing.T) {
	w := watchEvents(t, 200*time.Millisecond, pollInterval)
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	writeFile(t, file, "1")
	w.Watch([]string{file})
	writeFile(t, file, "22")
	tick, timeout := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			writeFile(t, filepath.Join(dir, "log"), "another line")
		case <-w.Changed:
			return
		case <-timeout:
			t.Fatal("no change reported within 30 s")
		}
	}
}
