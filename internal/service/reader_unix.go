//go:build unix

package service

import (
	"io/fs"
	"math"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// knowsPermissions says that the mode of a file tells who can read it.
const knowsPermissions = true

// reader is a user that reads files.
type reader struct {
	name   string
	uid    uint64
	groups []uint64
}

// others is any user who owns nothing and is in no group of ours.
var others = reader{name: "others", uid: math.MaxUint64}

// findReader returns the user of a name, and whether there is one.
func findReader(name string) (reader, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return reader{}, false
	}
	ids, _ := u.GroupIds()
	r := reader{name: name}
	r.uid, err = strconv.ParseUint(u.Uid, 10, 32)
	for _, id := range append(ids, u.Gid) {
		if gid, err := strconv.ParseUint(id, 10, 32); err == nil {
			r.groups = append(r.groups, gid)
		}
	}
	return r, err == nil
}

// may reports whether the mode of a file allows the user what the bits say: 4 for
// reading, 1 for passing through a directory. It knows no access lists.
func (r reader) may(bits fs.FileMode, info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case !ok || r.uid == 0:
		return true
	case uint64(owner.Uid) == r.uid:
		mode >>= 6
	case slices.Contains(r.groups, uint64(owner.Gid)):
		mode >>= 3
	}
	return mode&bits == bits
}
