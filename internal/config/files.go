package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// file reads the path of a file, relative to the configuration.
func (v *value) file() (string, bool) {
	path, ok := v.text("the path of a file")
	if !ok {
		return "", false
	}
	path = v.l.beside(path)
	if info, err := os.Stat(path); err != nil {
		v.warn("cannot read %s: %v", quote(path), withoutPath(err))
	} else if info.IsDir() {
		v.fault("%s is a folder", quote(path))
	}
	return path, true
}

// readText reads a file in one piece, as a string because parts of it are kept.
func readText(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", withoutPath(err)
	case info.IsDir():
		return "", errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return "", errors.New("it is not an ordinary file")
	case info.Size() > maxDomainFile:
		return "", fmt.Errorf("it is larger than %d MiB", maxDomainFile>>20)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", withoutPath(err)
	}
	defer f.Close()
	var text strings.Builder
	text.Grow(int(info.Size()))
	if _, err := io.Copy(&text, io.LimitReader(f, maxDomainFile)); err != nil {
		return "", withoutPath(err)
	}
	return text.String(), nil
}

// withoutPath is the bare reason of a file error, for messages that name the
// file themselves.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// beside is the path of what the configuration names, and notes that it does.
func (l *loader) beside(path string) string {
	path = l.resolve(path)
	l.named = append(l.named, path)
	return path
}

// resolve is a path as the configuration means it: relative to its own file.
func (l *loader) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.file), path)
}
