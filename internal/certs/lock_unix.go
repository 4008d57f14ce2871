//go:build unix

package certs

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks a file as long as it is open (flock(2)), and reports whether nobody else has it.
// Linux passes the lock on to a server of NFS. A file system that has no locks is taken for one
// that no other machine uses.
func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case err == nil, errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported):
		return true, nil
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		return false, nil
	}
	return false, &os.PathError{Op: "lock", Path: file.Name(), Err: err}
}
