package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/format"
	"signpost/internal/regular"
)

// maxImport is the size of the largest file that is read whole. A dump of a database with
// 100,000 domains has some 20 MB.
const maxImport = 64 << 20

// The largest folder that is read: one that has more is not the configuration of a tool.
const (
	maxFiles   = 20_000
	maxFolders = 6 // within one another
)

// importFiles reads a file, or those of a folder and the folders in it. Web servers have one for each
// domain.
func (r *importRun) importFiles(path string) ([]format.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		data, err := readImport(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, fault.WithoutPath(err))
		}
		return []format.File{{Path: path, Data: data}}, nil
	}
	var files []format.File
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		relative, _ := filepath.Rel(path, name)
		switch {
		case err != nil:
			return err
		case name == path:
			return nil
		case strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".env":
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir() && strings.Count(relative, string(filepath.Separator)) >= maxFolders:
			r.draft.Lose(draft.Place{File: name}, "it is too deep to be looked at")
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		case len(files) == maxFiles:
			return fmt.Errorf("%s has more than %d files; name those that are to be read", path, maxFiles)
		}
		info, err := os.Stat(name) // of what a link leads to
		switch {
		case err != nil:
			r.draft.Lose(draft.Place{File: name}, "it cannot be read")
			return nil
		case !info.Mode().IsRegular():
			r.draft.Lose(draft.Place{File: name}, "it is not a regular file")
			return nil
		}
		file, err := r.folderFile(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, fault.WithoutPath(err))
		}
		files = append(files, file)
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no files", path)
	}
	return files, err
}

// folderFile reads a file of a folder: of one that is in no known format only the beginning, as
// there may be pictures and archives beside what is meant.
func (r *importRun) folderFile(name string) (file format.File, err error) {
	f, err := regular.Open(name)
	if err != nil {
		return file, err
	}
	defer f.Close()
	start, err := io.ReadAll(io.LimitReader(f, 256<<10))
	file = format.File{Path: name, Data: start}
	if _, known := r.formatOf(file); err != nil || !known {
		return file, err
	}
	file.Data, err = readImport(name)
	return file, err
}

// readImport reads a file, or the beginning of a database.
func readImport(path string) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	start := make([]byte, 512)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if format.IsDatabase(start[:n]) {
		return start[:n], nil
	}
	return regular.Read(path, maxImport)
}
