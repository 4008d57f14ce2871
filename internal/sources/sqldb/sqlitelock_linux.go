package sqldb

import (
	"io"
	"os"
	"syscall"
)

const (
	ofdSetLock = 37         // F_OFD_SETLK, fcntl(2)
	sharedAt   = 0x40000002 // the bytes of SQLite's shared lock (os.h, SHARED_FIRST)
	sharedSize = 510
)

// shareSQLite takes the lock of a reader until release is called. It belongs to the open
// file and not to the process, so that SQLite's own locks are independent of it.
func shareSQLite(file *os.File) (release func(), err error) {
	lock := syscall.Flock_t{Type: syscall.F_RDLCK, Whence: io.SeekStart, Start: sharedAt, Len: sharedSize}
	if err := syscall.FcntlFlock(file.Fd(), ofdSetLock, &lock); err != nil {
		return nil, err
	}
	return func() {
		lock.Type = syscall.F_UNLCK
		syscall.FcntlFlock(file.Fd(), ofdSetLock, &lock)
	}, nil
}
