// Package regular reads the operator's files: regular ones only, of limited size, and
// without ever waiting. A named pipe, a device or an endless file in their place would
// stop whoever reads it, and all later reloads with it.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long the content may take where a file system can say that it has
// none yet, as /proc/kmsg does, which says that it is a regular file.
const patience = time.Second

// ErrNotRegular is wrapped by errors about a pipe, a socket or a device.
var ErrNotRegular = errors.New("it is not a regular file")

var (
	errDirectory = errors.New("it is a directory")
	errSlow      = errors.New("it gives nothing to read")
)

// File is an open regular file. What has no content after a while fails to be read.
type File struct{ *os.File }

// Read implements io.Reader. The error is io.EOF or an *fs.PathError.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &fs.PathError{Op: "read", Path: f.Name(), Err: errSlow}
	}
	return n, err
}

// WriteTo implements io.WriterTo, by Read.
func (f *File) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{f}) }

// Open opens a regular file for reading. The error is an *fs.PathError.
func Open(path string) (*File, error) {
	// To open a device can have effects of its own, so that it must not even be tried.
	info, err := os.Stat(path)
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		return nil, err
	}
	// By now it may be another file. To open a pipe without O_NONBLOCK waits for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	f.SetReadDeadline(time.Now().Add(patience)) // fails where reading never waits
	return &File{f}, nil
}

func check(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: errDirectory}
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return nil
}

// Read returns the content of a regular file of at most limit bytes. The error is an
// *fs.PathError.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case int64(len(data)) > limit:
		err = fmt.Errorf("it is larger than %s", size(limit))
	case err == nil:
		return data, nil
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: withoutPath(err)}
}

func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// DirFS returns the file system of a directory, whose files are opened as by Open.
func DirFS(dir string) fs.FS { return dirFS{dir, os.DirFS(dir)} }

type dirFS struct {
	path string
	all  fs.FS
}

// Open implements fs.FS.
func (d dirFS) Open(name string) (fs.File, error) {
	info, err := fs.Stat(d.all, name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return d.all.Open(name)
	}
	f, err := Open(filepath.Join(d.path, filepath.FromSlash(name)))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: withoutPath(err)}
	}
	return f, nil
}
