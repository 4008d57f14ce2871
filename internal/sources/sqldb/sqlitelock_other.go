//go:build !linux

package sqldb

import "os"

// shareSQLite does nothing where locks belong to the process alone, as they would be mixed
// up with SQLite's own.
func shareSQLite(*os.File) (release func(), err error) { return func() {}, nil }
