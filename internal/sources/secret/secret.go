// Package secret reads the passwords of databases and directories. They stand in files of
// their own, or come from systemd, so that no configuration holds one.
package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

// credential begins the name of a file that systemd provides: credential:NAME is the
// file that the unit's LoadCredential=NAME:PATH brings (systemd.exec(5), "Credentials").
const credential = "credential:"

// maxSize is the size of the largest file that is taken for a password. Kerberos and
// cloud tokens of some kilobytes fit in.
const maxSize = 16 << 10

// Read returns the line that the file at path holds. The path may be credential:NAME.
// Whoever connects reads the file again, so that a new password needs no reload.
//
// The error names the path and never quotes what the file holds.
func Read(path string) (string, error) {
	name, err := Path(path)
	if err != nil {
		return "", err
	}
	data, err := readStart(name)
	if err != nil {
		return "", fmt.Errorf("reading the password file %s: %w", path, fault.WithoutPath(err))
	}
	text := string(data)
	text = strings.TrimSuffix(text, "\n")
	text = strings.TrimSuffix(text, "\r")
	switch {
	case len(data) > maxSize:
		return "", fmt.Errorf("the password file %s is larger than 16 kB", path)
	case text == "":
		return "", fmt.Errorf("the password file %s is empty", path)
	case strings.ContainsAny(text, "\r\n"):
		return "", fmt.Errorf("the password file %s has more than one line", path)
	case strings.Contains(text, "\x00"):
		return "", fmt.Errorf("the password file %s holds a zero byte", path)
	}
	return text, nil
}

// readStart reads the file, or its start if it is too large.
func readStart(name string) ([]byte, error) {
	file, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxSize+1))
}

// Path returns the path of the file that path names: of a credential, its place below
// $CREDENTIALS_DIRECTORY.
func Path(path string) (string, error) {
	name, ok := strings.CutPrefix(path, credential)
	if !ok {
		return path, nil
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	if directory == "" {
		return "", fault.WithHint(
			fmt.Errorf("%s: systemd has given this process no credentials", path),
			fmt.Sprintf("add LoadCredential=%s:/path/of/the/file to the unit; a command in a shell has none", name))
	}
	return filepath.Join(directory, name), nil
}

// Check returns an error if path can never name a password file: it is empty, relative or
// a credential without a proper name. It does not look at the file.
func Check(path string) error {
	if name, ok := strings.CutPrefix(path, credential); ok {
		return checkName(name)
	}
	switch {
	case path == "":
		return errors.New("the path of the password file is empty")
	case !filepath.IsAbs(path):
		return fmt.Errorf("the path of the password file, %q, does not begin with /", path)
	}
	return nil
}

// checkName returns an error unless name is a file name, which is what systemd wants of
// the name of a credential.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\:\x00") {
		return fmt.Errorf("%q is not the name of a credential: write credential:NAME, as in LoadCredential=NAME:PATH",
			credential+name)
	}
	return nil
}

// Exposed returns a sentence if more people than its owner and its group can read the
// file at path, or change it, and an empty text otherwise, also if there is no such file.
func Exposed(path string) string {
	name, err := Path(path)
	if err != nil {
		return ""
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o004 != 0:
		return fmt.Sprintf("everybody on this machine can read the password file %s", path)
	case mode&0o022 != 0:
		return fmt.Sprintf("others than its owner can change the password file %s", path)
	}
	return ""
}
