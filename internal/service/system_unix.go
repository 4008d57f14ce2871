//go:build unix

package service

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyHangup returns a channel that receives at each SIGHUP until stop is called.
func notifyHangup() (hangup <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// openFileLimit returns how many files the process may have open.
func openFileLimit() (n uint64, ok bool) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), err == nil // Cur is signed on FreeBSD
}
