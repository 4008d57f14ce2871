package format

import (
	"bytes"
	"net/url"
	"path/filepath"
	"strings"

	"signpost/internal/importer/draft"
)

// isAutomx2Conf reports whether a file is automx2.conf, which says where the database is.
func isAutomx2Conf(f File) bool {
	return bytes.Contains(f.Data, []byte("[automx2]")) && bytes.Contains(f.Data, []byte("db_uri"))
}

// automx2Engines are the names that SQLAlchemy has for databases, and ours.
var automx2Engines = map[string]string{"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgres",
	"postgres": "postgres"}

// readAutomx2Conf returns the database of automx2.conf as package sqldb writes it, and its password.
func readAutomx2Conf(f File, d *draft.Draft) (database, password string, err error) {
	sections, err := readINI(f)
	if err != nil {
		return "", "", err
	}
	for _, s := range sections {
		if s.name != "automx2" {
			continue
		}
		if proxies := s.keys["proxy_count"]; proxies.text != "" && proxies.text != "0" {
			d.Hints = append(d.Hints, "trustedProxies names the proxies before Signpost; automx2 has proxy_count = "+
				proxies.text)
		}
		uri := s.keys["db_uri"]
		if uri.text == "" {
			return "", "", faultAt(f.Path, s.line, "[automx2] has no db_uri")
		}
		database, password, problem := automx2URI(uri.text, filepath.Dir(f.Path))
		if problem != "" {
			return "", "", faultAt(f.Path, uri.line, "db_uri: %s", problem)
		}
		return database, password, nil
	}
	return "", "", faultAt(f.Path, 0, "there is no section [automx2]")
}

// automx2URI translates a URL of SQLAlchemy ("Database URLs" in its manual, core/engines). A file of
// SQLite has four slashes before it, or three if it is relative; then it is looked for in the folder.
// The problem never has the password.
func automx2URI(uri, folder string) (database, password, problem string) {
	const dump = "import a dump of the database instead"
	scheme, rest, _ := strings.Cut(uri, "://")
	dialect, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	if dialect == "sqlite" {
		path, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "?")
		if path == "" || path == ":memory:" {
			return "", "", "the database is in the memory of automx2; import its seed file instead"
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return "", "", err.Error()
		}
		return "sqlite:" + path, "", ""
	}
	engine := automx2Engines[dialect]
	u, err := url.Parse(engine + "://" + rest)
	switch {
	case engine == "":
		return "", "", "the database is neither SQLite, MySQL nor PostgreSQL; import a seed file instead"
	case err != nil: // which quotes the password
		return "", "", "it is not a URL; " + dump
	case u.Host == "" || u.Path == "":
		return "", "", "it names no host or no database; " + dump
	}
	password, _ = u.User.Password()
	u.User = url.User(u.User.Username())
	u.RawQuery = ""
	return u.String(), password, ""
}
