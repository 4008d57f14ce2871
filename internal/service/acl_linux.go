package service

import "syscall"

// hasAccessList reports whether more than the mode of a file says who may read it, as
// after setfacl (acl(5)).
func hasAccessList(path string) bool {
	size, err := syscall.Getxattr(path, "system.posix_acl_access", nil)
	return err == nil && size > 0
}
