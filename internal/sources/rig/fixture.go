package rig

import (
	"embed"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed testdata
var fixtures embed.FS

// Password is the password of every user that the rig creates.
const Password = "s3cret"

// Database is a mail system's database with the rows of its fixture, and a user with the
// rights that the preset needs and no others.
type Database struct {
	Server       *Server // nil for SQLite
	Preset       string
	Name         string
	User         string
	URL          string // as an operator writes it, without the password
	PasswordFile string // empty for SQLite
	File         string // of SQLite
}

// SQL lists the fixtures for Load: the preset's name, and after a dot what stores it, where
// it is not MariaDB.
func SQL() []string {
	files, _ := fixtures.ReadDir("testdata")
	var names []string
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".sql"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Text returns a fixture's file.
func Text(t testing.TB, file string) string {
	t.Helper()
	text, err := fixtures.ReadFile(path.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Load makes a new database of a fixture of SQL: tests may change it as they like.
func Load(t testing.TB, fixture string) *Database {
	t.Helper()
	script := Text(t, fixture+".sql")
	preset, kind, _ := strings.Cut(fixture, ".")
	switch kind {
	case "sqlite":
		folder := Folder(t, "sqlite", "")
		file := filepath.Join(folder, preset+".db")
		Run(t, "", script, Tool(t, "sqlite3"), file)
		return &Database{Preset: preset, Name: preset, URL: "sqlite:" + file, File: file}
	case "pgsql":
		return PostgreSQL(t).load(t, preset, script)
	}
	return MariaDB(t).load(t, preset, script)
}

// Empty makes a new database without tables on a server, and a user who may read nothing.
func (s *Server) Empty(t testing.TB) *Database {
	t.Helper()
	return s.load(t, "empty", "")
}

func (s *Server) load(t testing.TB, preset, script string) *Database {
	t.Helper()
	s.mu.Lock()
	s.loaded++
	name := fmt.Sprintf("%s_%d", preset, s.loaded)
	s.mu.Unlock()
	d := &Database{Server: s, Preset: preset, Name: name, User: "signpost_" + name}
	create := "CREATE DATABASE " + name + ";\n\\connect " + name + "\n"
	if s.Scheme == "mysql" {
		create = "CREATE DATABASE " + name + " CHARACTER SET utf8mb4;\nUSE " + name + ";\n"
	}
	s.administer(t, "", create+script+"\n"+d.createUser()+d.rights())
	d.URL = s.Scheme + "://" + d.User + "@" + s.Address() + "/" + name
	d.PasswordFile = Write(t, Folder(t, "password", ""), "password", Password+"\n")
	return d
}

// Run runs a script in the database as its administrator, and returns what it prints.
func (d *Database) Run(t testing.TB, script string) string {
	t.Helper()
	if d.Server == nil {
		return Run(t, "", script, Tool(t, "sqlite3"), d.File)
	}
	return d.Server.administer(t, d.Name, script)
}

// KillConnections ends the connections of the database's user from the server's side.
func (d *Database) KillConnections(t testing.TB) {
	t.Helper()
	d.Server.KillConnections(t, d.User)
}
