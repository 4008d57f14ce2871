package importer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// MayWrite returns an error if the file exists and must not be replaced.
func MayWrite(file string, force bool) error {
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return nil
	case !info.Mode().IsRegular():
		// A file is replaced by another one of its name: root would lose /dev/stdout.
		return fault.WithHint(fmt.Errorf("%s is not a regular file", file), "-o FILE writes another one")
	case !force:
		return fault.WithHint(fmt.Errorf("%s exists already", file), "-force replaces it, and -o FILE writes another one")
	}
	return nil
}

// Save writes the configuration of a draft, once it has been proved to say the same. Without
// force, a file is never replaced.
func Save(ctx context.Context, file string, force bool, d *draft.Draft) (Proof, error) {
	if err := MayWrite(file, force); err != nil {
		return Proof{}, err
	}
	merged := *d
	merged.Products = Merge(d.Products)
	// Paths in a configuration are relative to its folder, so the proof is there, too.
	temporary, err := os.CreateTemp(filepath.Dir(file), ".signpost-*.yaml")
	if err != nil {
		return Proof{}, err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(Write(&merged))
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close()); err != nil {
		return Proof{}, err
	}
	proof, err := Prove(ctx, temporary.Name(), d)
	if err != nil {
		text := strings.ReplaceAll(err.Error(), temporary.Name(), file)
		return Proof{}, fmt.Errorf("nothing is written, as the configuration would not say the same:\n%s", text)
	}
	if force {
		return proof, os.Rename(temporary.Name(), file)
	}
	if err := os.Link(temporary.Name(), file); err != nil { // which never replaces a file
		return Proof{}, errors.Join(MayWrite(file, force), err)
	}
	return proof, nil
}
