package templates

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"signpost/internal/fault"
)

// maxFile bounds the size of a file. It is far above any template and keeps the
// files of a wrong directory from being read.
const maxFile = 1 << 20

// file is the content of a file.
type file struct {
	data     []byte
	base     []byte // the embedded file that data overlays, if any
	embedded bool
}

// readAll reads the files of the three directories, following symbolic links.
func (l *loader) readAll(from fs.FS, overlay bool) {
	for _, dir := range append([]string{"."}, Dirs...) {
		entries, err := fs.ReadDir(from, dir)
		if errors.Is(err, fs.ErrNotExist) && dir != "." {
			continue
		}
		if err != nil {
			l.fault(dir, 0, "%v", fault.WithoutPath(err))
		}
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			switch {
			case strings.HasPrefix(entry.Name(), "."), slices.Contains(Dirs, name):
			case !isPart(name):
				l.warn(name, "not used: it is none of the files that the page is made of, "+
					"html/*.html, text/LANG.json, static/style.css, static/copy.js")
			default:
				l.read(from, name, overlay)
			}
		}
	}
}

func (l *loader) read(from fs.FS, name string, overlay bool) {
	data, err := readFile(from, name)
	switch {
	case err != nil:
		l.fault(name, 0, "%v", fault.WithoutPath(err))
		return
	case len(data) > maxFile:
		l.fault(name, 0, "the file is larger than %d KiB", maxFile>>10)
		return
	}
	l.files[name] = file{data: data, base: l.files[name].data, embedded: !overlay}
}

// readFile reads a file, or the beginning of one that is too large.
func readFile(from fs.FS, name string) ([]byte, error) {
	f, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// isPart reports whether the page uses a file of this name.
func isPart(name string) bool {
	switch dir, ext := path.Dir(name), path.Ext(name); {
	case dir == "html" && ext == ".html", dir == "text" && ext == ".json":
		return true
	}
	return name == styleFile || name == scriptFile
}
