package row

// EqualASCII reports whether two texts are equal but for the case of ASCII letters, as the
// keys of mail systems are. It folds less than strings.EqualFold, for which ſ is s.
func EqualASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
