package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

// file reads the path of a file that need not be readable yet.
func (v *value) file() string {
	path := v.filePath("the path of a file")
	if path == "" {
		return ""
	}
	if info, err := os.Stat(path); err != nil {
		v.warn("cannot read %s: %v", quote(path), fault.WithoutPath(err))
	} else if info.IsDir() {
		v.fault("%s is a directory", quote(path))
	} else if !info.Mode().IsRegular() {
		v.fault("%s is not a regular file", quote(path))
	}
	return path
}

// directory reads the path of a directory that exists.
func (v *value) directory() string {
	path := v.filePath("the path of a directory")
	if path == "" {
		return ""
	}
	if info, err := os.Stat(path); err != nil {
		v.fault("cannot read %s: %v", quote(path), fault.WithoutPath(err))
	} else if !info.IsDir() {
		v.fault("%s is not a directory", quote(path))
	}
	return path
}

// filePath reads a path, which is relative to the configuration.
func (v *value) filePath(wanted string) string {
	path := v.l.resolve(v.text(wanted))
	if path == "" {
		return ""
	}
	v.l.named = append(v.l.named, path)
	v.remember()
	v.parent.remember()
	return path
}

// remember keeps the line of the value for Config.Fault.
func (v *value) remember() { v.l.lines[v.path()] = v.line }

// content reads the path of a file and the file itself. It returns an empty path if
// it has recorded a fault.
func (v *value) content(wanted string, maxSize int64) (path, content string) {
	if path = v.filePath(wanted); path == "" {
		return "", ""
	}
	content, err := readFile(path, maxSize)
	if err != nil {
		v.fault("cannot read %s: %v", quote(path), err)
		return "", ""
	}
	v.l.files = append(v.l.files, path)
	return path, content
}

// readFile reads a regular file of limited size. It returns a string, because the
// configuration keeps parts of it.
func readFile(path string, maxSize int64) (string, error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", fault.WithoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fault.WithoutPath(err)
	}
	var text strings.Builder
	text.Grow(int(min(info.Size(), maxSize+1)))
	if _, err := io.Copy(&text, io.LimitReader(f, maxSize+1)); err != nil {
		return "", fault.WithoutPath(err)
	}
	if int64(text.Len()) > maxSize {
		return "", fmt.Errorf("it is larger than %s", size(maxSize))
	}
	return text.String(), nil
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// resolve returns the path that text means: it is relative to the configuration.
func (l *loader) resolve(text string) string {
	if text == "" || filepath.IsAbs(text) {
		return text
	}
	return filepath.Join(filepath.Dir(l.file), text)
}
