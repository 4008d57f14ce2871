//go:build !unix

package certs

import "os"

// tryLock reports that nobody else has the file: this system has no flock.
func tryLock(*os.File) (bool, error) { return true, nil }
