package filewatch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

const testRest = 20 * time.Millisecond

func told(t *testing.T, w *Watcher) {
	t.Helper()
	select {
	case <-w.Changed:
	case <-time.After(30 * time.Second):
		t.Fatal("the change was not told")
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatcher(t *testing.T) {
	w, err := New(t.Context(), testRest)
	if err != nil {
		t.Skip("this system cannot watch files: ", err)
	}
	folder, other := t.TempDir(), t.TempDir()
	file, link := filepath.Join(folder, "a"), filepath.Join(folder, "link")
	target := filepath.Join(other, "target")
	texts := filepath.Join(folder, "texts")
	writeFile(t, file, "1")
	writeFile(t, target, "1")
	if err := os.Mkdir(texts, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(folder, "linked")
	if err := os.Symlink(other, linked); err != nil {
		t.Fatal(err)
	}
	files := []string{file, link, texts, linked, filepath.Join(folder, "later")}
	w.Watch(files)
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"in place", func() { writeFile(t, file, "22") }},
		{"replaced", func() { writeFile(t, file+".new", "22"); os.Rename(file+".new", file) }},
		{"of the same size", func() { writeFile(t, file, "33") }},
		{"removed", func() { os.Remove(file) }},
		{"come again", func() { writeFile(t, file, "4") }},
		{"come for the first time", func() { writeFile(t, filepath.Join(folder, "later"), "1") }},
		{"behind a link", func() { writeFile(t, target, "55") }},
		{"another link", func() { os.Symlink(file, link+".new"); os.Rename(link+".new", link) }},
		{"in a linked folder", func() { writeFile(t, filepath.Join(other, "sv.json"), "{}") }},
		{"changed in a linked folder", func() { writeFile(t, filepath.Join(other, "sv.json"), "{ }") }},
		{"new in a folder", func() { writeFile(t, filepath.Join(texts, "en.json"), "{}") }},
	} {
		w.Look()
		change.do()
		told(t, w)
		if !w.differ() {
			t.Errorf("%s: nothing differs", change.name)
		}
	}
	w.Look()
	w.Watch(files)
	if w.differ() {
		t.Error("something differs although nothing has changed")
	}
}

// TestWatcherFollows changes what leads to a file, and looks for events only.
func TestWatcherFollows(t *testing.T) {
	w, err := newWatcher(t.Context(), testRest, time.Hour)
	if err != nil {
		t.Skip("this system cannot watch files: ", err)
	}
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, release := range []string{"1", "2", "3"} {
		must(os.MkdirAll(in("releases/"+release), 0o700))
		writeFile(t, in("releases/"+release+"/a"), release)
	}
	link := func(target, name string) {
		t.Helper()
		must(os.Symlink(target, in("new")))
		must(os.Rename(in("new"), in(name)))
	}
	link("releases/1", "current")
	link(in("current"), "etc")
	must(os.Mkdir(in("texts"), 0o700))
	files := []string{in("etc/a"), in("later/folder/b"), in("texts")}
	must(w.Watch(files))
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"the folder behind a link behind a link", func() { link("releases/2", "current") }},
		{"again", func() { link("releases/3", "current") }},
		{"the first of the links", func() { link("releases/1", "etc") }},
		{"in the folder to which it leads now", func() { writeFile(t, in("releases/1/a"), "new") }},
		{"folders and a file come", func() {
			must(os.MkdirAll(in("made/folder"), 0o700))
			writeFile(t, in("made/folder/b"), "1")
			must(os.Rename(in("made"), in("later")))
		}},
		{"a folder is removed", func() { must(os.RemoveAll(in("later"))) }},
		{"and made again", func() {
			must(os.MkdirAll(in("made/folder"), 0o700))
			writeFile(t, in("made/folder/b"), "2")
			must(os.Rename(in("made"), in("later")))
		}},
		{"a folder of texts is replaced", func() {
			must(os.Rename(in("texts"), in("old")))
			must(os.Mkdir(in("texts"), 0o700))
		}},
		{"a text comes to it", func() { writeFile(t, in("texts/en.json"), "{}") }},
	} {
		w.Look()
		change.do()
		told(t, w)
		if !w.differ() {
			t.Errorf("%s: nothing differs", change.name)
		}
		must(w.Watch(files)) // as a reload does
	}
}

// TestWatcherWithoutEvents: what no event tells is seen when the watcher looks.
func TestWatcherWithoutEvents(t *testing.T) {
	w, err := newWatcher(t.Context(), testRest, testRest)
	if err != nil {
		t.Skip("this system cannot watch files: ", err)
	}
	file := filepath.Join(t.TempDir(), "a")
	writeFile(t, file, "1")
	w.Watch([]string{file})
	for _, folder := range w.notify.WatchList() {
		w.notify.Remove(folder)
	}
	writeFile(t, file, "22")
	told(t, w)
}

// TestWatcherInALoop: links that lead to each other lead nowhere.
func TestWatcherInALoop(t *testing.T) {
	folder := t.TempDir()
	a, b := filepath.Join(folder, "a"), filepath.Join(folder, "b")
	os.Symlink(b, a)
	os.Symlink(a, b)
	folders := map[string]bool{}
	foldersTo(filepath.Join(a, "file"), folders)
	if !folders[folder] {
		t.Errorf("got %v", folders)
	}
}

// TestWatcherDuringALoad: what is written between looking and watching is told,
// although no event may come any more.
func TestWatcherDuringALoad(t *testing.T) {
	w, err := New(t.Context(), testRest)
	if err != nil {
		t.Skip("this system cannot watch files: ", err)
	}
	folder := t.TempDir()
	file, texts := filepath.Join(folder, "a"), filepath.Join(folder, "texts")
	if err := os.Mkdir(texts, 0o700); err != nil {
		t.Fatal(err)
	}
	files := []string{file, texts}
	inside := filepath.Join(texts, "en.json")
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"a file", func() { writeFile(t, file, "changed while it was read") }},
		{"come into a folder", func() { writeFile(t, inside, "{}") }},
		{"gone from a folder", func() { os.Remove(inside) }},
	} {
		w.mu.Lock()
		w.files, w.stamps = files, stampsOf(files)
		w.mu.Unlock()
		change.do()
		w.Watch(files)
		if !w.differ() {
			t.Errorf("%s: nothing differs", change.name)
		}
		told(t, w)
	}
	w.Look()
	w.Watch(files)
	if w.differ() {
		t.Error("something differs although nothing has changed")
	}
}

// TestWatcherOfOtherFiles: other files of the folder do not matter.
func TestWatcherOfOtherFiles(t *testing.T) {
	w, err := New(t.Context(), time.Hour)
	if err != nil {
		t.Skip("this system cannot watch files: ", err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "a")
	writeFile(t, file, "1")
	w.Watch([]string{file})
	writeFile(t, filepath.Join(folder, "b"), "1")
	if w.differ() {
		t.Error("another file makes a difference")
	}
	writeFile(t, file, "22")
	if !w.differ() {
		t.Error("the file itself makes none")
	}
}

// TestWatcherInABusyFolder: somebody writes to the folder all the time.
func TestWatcherInABusyFolder(t *testing.T) {
	w, err := New(t.Context(), 200*time.Millisecond)
	if err != nil {
		t.Skip("this system cannot watch files: ", err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "a")
	writeFile(t, file, "1")
	w.Watch([]string{file})
	writeFile(t, file, "22")
	tick, give := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			writeFile(t, filepath.Join(folder, "log"), "another line")
		case <-w.Changed:
			return
		case <-give:
			t.Fatal("the change was not told")
		}
	}
}
