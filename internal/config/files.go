package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/fault"
)

// file reads the path of a file, relative to the configuration.
func (v *value) file() (string, bool) {
	path, ok := v.text("the path of a file")
	if !ok {
		return "", false
	}
	path = v.l.beside(path)
	if info, err := os.Stat(path); err != nil {
		v.warn("cannot read %s: %v", quote(path), fault.WithoutPath(err))
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
		return "", fault.WithoutPath(err)
	case info.IsDir():
		return "", errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return "", errors.New("it is not an ordinary file")
	case info.Size() > maxDomainFile:
		return "", fmt.Errorf("it is larger than %d MiB", maxDomainFile>>20)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fault.WithoutPath(err)
	}
	defer f.Close()
	var text strings.Builder
	text.Grow(int(info.Size()))
	if _, err := io.Copy(&text, io.LimitReader(f, maxDomainFile)); err != nil {
		return "", fault.WithoutPath(err)
	}
	return text.String(), nil
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
