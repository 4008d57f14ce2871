package sqldb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

// sqliteFile is a SQLite file that is held open beside SQLite, to read its header.
type sqliteFile struct {
	path string
	file *os.File
	info fs.FileInfo
}

// sqliteFiles holds the files by their paths, each as long as it has its path. They are not
// closed before: that would drop the locks of all connections to the file, as POSIX locks
// belong to the process (https://sqlite.org/howtocorrupt.html, section 2.2).
var sqliteFiles = struct {
	sync.Mutex
	byPath map[string]*sqliteFile
}{byPath: map[string]*sqliteFile{}}

// holdSQLite returns the file at path, which it opens unless it is open.
func holdSQLite(path string) (*sqliteFile, error) {
	sqliteFiles.Lock()
	defer sqliteFiles.Unlock()
	held := sqliteFiles.byPath[path]
	if now, err := os.Stat(path); err == nil && held != nil && os.SameFile(held.info, now) {
		return held, nil
	}
	file, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fault.WithoutPath(err))
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if held != nil {
		held.file.Close()
	}
	held = &sqliteFile{path, file.File, info}
	sqliteFiles.byPath[path] = held
	return held, nil
}

// inWAL reports whether the header says that the file has a write-ahead log
// (https://sqlite.org/fileformat.html, section 1.3.3, offsets 18 and 19).
func (f *sqliteFile) inWAL() bool {
	versions := make([]byte, 2)
	if _, err := f.file.ReadAt(versions, 18); err != nil {
		return false
	}
	return versions[0] == 2 || versions[1] == 2
}

// keepLog keeps the files -wal and -shm from being removed until release is called, as the
// last connection of a program does. It fails if they are not there: SQLite would create
// them, owned by the user of Signpost, and the mail system could not write them.
func (f *sqliteFile) keepLog() (release func(), err error) {
	release, err = shareSQLite(f.file)
	if err != nil {
		return nil, fmt.Errorf("%s: another program holds the database alone", f.path)
	}
	// SQLite follows a link before it looks for the files.
	path, err := filepath.EvalSymlinks(f.path)
	if err == nil {
		_, err = os.Stat(path + "-wal")
	}
	if err == nil {
		_, err = os.Stat(path + "-shm")
	}
	if err != nil {
		release()
		return nil, fault.WithHint(fmt.Errorf("%s: the database is in WAL mode and no other program has it open, "+
			"so that reading it would leave files there that the mail system cannot write", f.path), walCure)
	}
	return release, nil
}

const walCure = "give Signpost a copy instead, made now and then as root: sqlite3 FILE \"VACUUM INTO 'COPY'\"; " +
	"docs/accounts.md has the commands under SQLite"
