//go:build !unix

package service

import "os"

// notifyHangup returns a channel that never receives: there is no SIGHUP here.
// Changed files are still noticed.
func notifyHangup() (hangup <-chan os.Signal, stop func()) { return nil, func() {} }

// openFileLimit reports that no limit is known.
func openFileLimit() (n uint64, ok bool) { return 0, false }
