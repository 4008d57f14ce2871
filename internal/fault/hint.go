package fault

import (
	"errors"
	"io/fs"
)

// hinted is an error with a hint for the operator.
type hinted struct {
	error
	hint string
}

// Unwrap returns the error without its hint.
func (h hinted) Unwrap() error { return h.error }

// WithHint attaches to err a hint that tells the operator how to fix it. The
// text of the error stays the same.
func WithHint(err error, hint string) error { return hinted{err, hint} }

// Hint returns the hint attached to err or to an error that it wraps, and the
// empty string if there is none.
func Hint(err error) string {
	h, _ := errors.AsType[hinted](err)
	return h.hint
}

// WithoutPath returns the reason of a failed file operation without the
// operation and the path, for messages that already name the file.
func WithoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
