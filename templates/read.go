package templates

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"signpost/internal/fault"
)

// maxFile is far above any template and keeps a wrong folder from being read in.
const maxFile = 1 << 20

// readAll reads the files of the three folders, through symbolic links too.
func (l *loader) readAll(from fs.FS, overlay bool) {
	for _, folder := range append([]string{"."}, Folders...) {
		entries, err := fs.ReadDir(from, folder)
		if errors.Is(err, fs.ErrNotExist) && folder != "." {
			continue
		} else if err != nil {
			l.fault(folder, 0, "%v", fault.WithoutPath(err))
		}
		for _, entry := range entries {
			name := path.Join(folder, entry.Name())
			switch {
			case strings.HasPrefix(entry.Name(), "."), slices.Contains(Folders, name):
			case !l.known(name):
				l.warn(name, 0, "not used: it is none of the files that the page is made of, html/*.html, text/LANG.json, static/style.css, static/copy.js")
			default:
				l.read(from, name, overlay)
			}
		}
	}
}

func (l *loader) read(from fs.FS, name string, overlay bool) {
	info, err := fs.Stat(from, name)
	if err == nil && info.Size() > maxFile {
		l.fault(name, 0, "the file is larger than %d KiB", maxFile>>10)
		return
	}
	data, err := fs.ReadFile(from, name)
	if err != nil {
		l.fault(name, 0, "%v", fault.WithoutPath(err))
		return
	}
	l.files[name] = file{data: data, under: l.files[name].data, embedded: !overlay}
}

func (l *loader) known(name string) bool {
	switch folder, ext := path.Dir(name), path.Ext(name); {
	case folder == "html" && ext == ".html", folder == "text" && ext == ".json":
		return true
	}
	return name == "static/style.css" || name == "static/copy.js"
}
