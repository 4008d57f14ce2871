package importer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// MayWrite returns an error if the file exists and must not be replaced.
func MayWrite(file string, force bool) error {
	if file == "-" {
		return errors.New("the configuration and its files of domains are written to files only, " +
			"not to standard output")
	}
	info, err := os.Lstat(file)
	switch {
	case err != nil: // there is none, which the folder will tell if it is another error
	case !info.Mode().IsRegular():
		// A file is replaced by another one of its name: root would lose /dev/stdout.
		return fault.WithHint(fmt.Errorf("%s is not a regular file", file), "-o FILE writes another one")
	case !force:
		return fault.WithHint(fmt.Errorf("%s exists already", file),
			"-force replaces it, and -o FILE writes another one")
	}
	folder := filepath.Dir(file)
	if err := mayCreate(folder); err != nil {
		return fault.WithHint(fmt.Errorf("no file can be written in %s: %w", folder, fault.WithoutPath(err)),
			"-o FILE writes it elsewhere")
	}
	return nil
}

// mayCreate returns an error if no file can be created in a folder. It tries: there are more reasons
// than the bits of its mode.
func mayCreate(folder string) error {
	file, err := os.CreateTemp(folder, ".signpost-*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// Save writes the configuration of a draft, and beside it files of many domains, once it has been
// proved to say the same. Without force, a file is never replaced.
func Save(ctx context.Context, file string, force bool, d *draft.Draft) (Proof, error) {
	if err := MayWrite(file, force); err != nil {
		return Proof{}, err
	}
	if len(d.Products) == 0 {
		return Proof{}, nothing(d)
	}
	FirstWins(d)
	simple := *d
	simple.Products = Simplify(d.Products)
	// Paths in a configuration are relative to its folder, so the proof is there, too.
	temporary, err := os.CreateTemp(filepath.Dir(file), ".signpost-*.yaml")
	if err != nil {
		return Proof{}, err
	}
	temporary.Close()
	trial := output{path: temporary.Name(), force: true}
	defer trial.remove()
	if err := trial.write(&simple); err != nil {
		return Proof{}, err
	}
	proof, err := Prove(ctx, trial.path, d)
	if err != nil {
		text := strings.ReplaceAll(err.Error(), trial.path, file)
		text = strings.ReplaceAll(text, trial.prefix(), (&output{path: file}).prefix())
		return Proof{}, fmt.Errorf("nothing is written, as the configuration would not say the same:\n%s", text)
	}
	final := output{path: file, force: force}
	if err := final.write(&simple); err != nil {
		if !force {
			final.remove()
		}
		return Proof{}, err
	}
	return proof, nil
}

// nothing says that a source has nothing to tell clients, and what of it is not carried over.
func nothing(d *draft.Draft) error {
	const text = "nothing is written, as no domain with a server is found in "
	if len(d.Lost) == 0 {
		return errors.New(text + d.Title)
	}
	list := fault.List{{File: d.Lost[0].Place.File, Text: text + d.Title}}
	const most = 10
	for i, r := range d.Lost {
		if i == most {
			break
		}
		list = append(list, fault.Fault{File: r.Place.File, Line: r.Place.Line, Text: r.Text})
	}
	return list
}

// output is a configuration on its way to the disk.
type output struct {
	path    string
	force   bool
	written []string
}

// prefix begins the names of its files of domains.
func (o *output) prefix() string {
	return strings.TrimSuffix(filepath.Base(o.path), filepath.Ext(o.path)) + "-domains-"
}

// write writes the files of domains, and last the configuration that names them.
func (o *output) write(d *draft.Draft) error {
	text, files := WriteFiles(d, o.prefix())
	for _, f := range files {
		if err := o.put(filepath.Join(filepath.Dir(o.path), f.Name), f.Data); err != nil {
			return err
		}
	}
	return o.put(o.path, text)
}

// put writes a file whole: nobody sees a part of it.
func (o *output) put(path string, data []byte) error {
	if err := MayWrite(path, o.force); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".signpost-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if o.force {
		err = os.Rename(temporary.Name(), path)
	} else {
		err = os.Link(temporary.Name(), path) // which never replaces a file
	}
	if errors.Is(err, fs.ErrExist) {
		return MayWrite(path, false)
	}
	if err == nil {
		o.written = append(o.written, path)
	}
	return err
}

// remove removes what was written.
func (o *output) remove() {
	for _, path := range o.written {
		os.Remove(path)
	}
}
