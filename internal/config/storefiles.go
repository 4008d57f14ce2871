package config

import (
	"os"
	"path/filepath"

	"signpost/internal/fault"
	"signpost/internal/sources"
	"signpost/internal/sources/mapfile"
)

var postfixKeys = keys[store]{
	"domains":   noDomainsOr(func(s *store, v *value) { s.files.Domains = v.tables() }),
	"mailboxes": func(s *store, v *value) { s.files.Mailboxes = v.tables() },
	"aliases":   func(s *store, v *value) { s.files.Aliases = v.tables() },
	"unixUsers": func(s *store, v *value) { s.files.UnixUsers = v.boolean() },
}

var passwdKeys = keys[store]{
	"file":    func(s *store, v *value) { s.files.Passwd = v.tables() },
	"domain":  func(s *store, v *value) { s.files.Domain = v.domain() },
	"domains": noDomainsOr(func(s *store, v *value) { s.files.Domains = v.tables() }),
	"aliases": func(s *store, v *value) { s.files.Aliases = v.tables() },
}

var dockerKeys = keys[store]{
	"folder":  readFolder,
	"domains": noDomainsOr(nil),
}

// readFolder reads the folder of docker-mailserver's files.
func readFolder(s *store, v *value) {
	s.files.Folder = absolute(v.filePath("the path of a folder"))
	for _, name := range []string{"postfix-accounts.cf", "postfix-virtual.cf"} {
		v.l.StoreFiles = append(v.l.StoreFiles, filepath.Join(s.files.Folder, name))
	}
}

func openFiles(s *store) (sources.Backend, error) {
	backend, err := mapfile.New(s.files)
	if err != nil {
		return nil, err
	}
	return backend, nil
}

// tables reads the path of one of Postfix's tables, with or without its type, or a list
// of them. A file that cannot be read now is no fault: it is read when it is there.
func (v *value) tables() []mapfile.File {
	return each(v.oneOrList("paths of tables"), func(item *value) mapfile.File {
		text := item.text("the path of a table")
		if text == "" {
			return mapfile.File{}
		}
		file, err := mapfile.ParseFile(text)
		if err != nil {
			item.fault("%s: %v", quote(text), err)
			return mapfile.File{}
		}
		file.Path = absolute(v.l.resolve(file.Path))
		v.l.named, v.l.StoreFiles = append(v.l.named, file.Path), append(v.l.StoreFiles, file.Path)
		if _, err := os.Stat(file.Path); err != nil {
			item.warn("cannot read %s: %v", quote(file.Path), fault.WithoutPath(err))
		}
		return file
	})
}
