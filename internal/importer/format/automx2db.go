package format

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"signpost/internal/importer/draft"
	"signpost/internal/sources/sqldb"
)

// automx2Database is automx2's database: a file of SQLite, a dump of any of its databases, or
// automx2.conf, which says where it is (automx2 2026.2, src/automx2/model.py and docs/).
var automx2Database = Format{
	Name:  "automx2-db",
	Title: "automx2's database",
	Is: func(f File) bool {
		if IsDatabase(f.Data) || isAutomx2Conf(f) {
			return true
		}
		start := bytes.ToUpper(f.Data[:min(len(f.Data), 1<<20)])
		return bytes.Contains(f.Data, []byte("server_domain")) && bytes.Contains(start, []byte("CREATE TABLE"))
	},
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			tables, err := readTables(f, d)
			if err != nil {
				return err
			}
			if err := draftAutomx2(f, tables, d); err != nil {
				return err
			}
		}
		return nil
	},
}

// IsDatabase reports whether a file that begins so is a database, of which File.Data is the
// beginning only.
func IsDatabase(start []byte) bool { return bytes.HasPrefix(start, []byte("SQLite format 3\x00")) }

// automx2Columns are the columns that are read, by table.
var automx2Columns = map[string][]string{
	"provider":  {"id", "name", "short_name"},
	"domain":    {"id", "name", "provider_id", "ldapserver_id"},
	"server":    {"id", "prio", "name", "port", "type", "socket_type", "user_name", "authentication"},
	"davserver": {"id", "url", "port", "type", "use_ssl", "user_name"},
	"ldapserver": {"id", "name", "port", "use_ssl", "search_base", "search_filter", "attr_uid", "attr_cn",
		"bind_user"},
	"server_domain":    {"server_id", "domain_id"},
	"davserver_domain": {"davserver_id", "domain_id"},
}

func readTables(f File, d *draft.Draft) (sqlTables, error) {
	switch {
	case isAutomx2Conf(f):
		database, password, err := readAutomx2Conf(f, d)
		if err != nil {
			return nil, err
		}
		return queryTables(f, database, password)
	case IsDatabase(f.Data):
		path, err := filepath.Abs(f.Path)
		if err != nil {
			return nil, err
		}
		return queryTables(f, "sqlite:"+path, "")
	}
	return readDump(f)
}

// queryTables reads the tables of a database, in the order of their keys. Versions of automx2
// differ in the columns that they have; draftAutomx2 says which it needs.
func queryTables(f File, database, password string) (sqlTables, error) {
	db, err := sqldb.OpenToRead(sqldb.Options{Database: database, Timeout: time.Minute}, password)
	if err != nil {
		return nil, faultAt(f.Path, 0, "the database: %v", err)
	}
	defer db.Close()
	tables := sqlTables{}
	for _, name := range slices.Sorted(maps.Keys(automx2Columns)) {
		present, err := db.Columns(context.Background(), name)
		if err != nil {
			return nil, faultAt(f.Path, 0, "table %s: %v", name, err)
		}
		columns := slices.DeleteFunc(slices.Clone(automx2Columns[name]), func(column string) bool {
			return !slices.Contains(present, column)
		})
		if len(columns) == 0 {
			continue
		}
		rows, err := db.Rows(context.Background(), "SELECT "+strings.Join(columns, ", ")+" FROM "+name+" ORDER BY 1")
		if err != nil {
			return nil, faultAt(f.Path, 0, "table %s: %v", name, err)
		}
		for _, row := range rows {
			values := make(map[string]string, len(columns))
			for i, value := range row {
				if value != "" {
					values[columns[i]] = value
				}
			}
			tables[name] = append(tables[name], sqlRow{values: values})
		}
	}
	return tables, nil
}

// draftAutomx2 groups the domains by their provider and servers: domains of one provider may
// have different ones.
func draftAutomx2(f File, tables sqlTables, d *draft.Draft) error {
	for _, name := range []string{"provider", "domain", "server", "server_domain"} {
		if len(tables[name]) == 0 {
			return faultAt(f.Path, 0, "automx2's table %s is missing or empty", name)
		}
	}
	at := func(row sqlRow) draft.Place { return draft.Place{File: f.Path, Line: row.line} }
	byID := func(table string) map[string]sqlRow {
		rows := map[string]sqlRow{}
		for _, row := range tables[table] {
			rows[row.values["id"]] = row
		}
		return rows
	}
	joined := func(table, column string) map[string][]string {
		ids := map[string][]string{}
		for _, row := range tables[table] {
			domain := row.values["domain_id"]
			ids[domain] = append(ids[domain], row.values[column])
		}
		return ids
	}
	providers, servers, davs := byID("provider"), byID("server"), byID("davserver")
	serversOf, davsOf := joined("server_domain", "server_id"), joined("davserver_domain", "davserver_id")
	var directories automx2Directories
	for _, row := range tables["ldapserver"] {
		v := row.values
		directories.add(d, at(row), func(name string) string { return v[name] })
	}
	groups, order := map[string]*draft.Product{}, []string{}
	for _, domain := range tables["domain"] {
		id := domain.values["id"]
		mine, dav := slices.Sorted(slices.Values(serversOf[id])), slices.Sorted(slices.Values(davsOf[id]))
		if len(mine)+len(dav) == 0 {
			d.Lose(at(domain), "%s has no servers", domain.values["name"])
			continue
		}
		key := domain.values["provider_id"] + "|" + strings.Join(mine, ",") + "|" + strings.Join(dav, ",")
		p := groups[key]
		if p == nil {
			p = &draft.Product{Place: at(domain)}
			provider := providers[domain.values["provider_id"]]
			setNames(d, p, at(provider), provider.values["name"], provider.values["short_name"])
			addAutomx2Servers(d, p, at, pick(servers, mine), pick(davs, dav))
			for _, missing := range []struct {
				what string
				ids  []string
				rows map[string]sqlRow
			}{{"server", mine, servers}, {"davserver", dav, davs},
				{"provider", []string{domain.values["provider_id"]}, providers}} {
				for _, id := range missing.ids {
					if _, ok := missing.rows[id]; !ok {
						d.Lose(at(domain), "%s has the %s %q, which the table %[2]s lacks",
							domain.values["name"], missing.what, id)
					}
				}
			}
			groups[key] = p
			order = append(order, key)
		}
		name, err := parseDomain(domain.values["name"])
		if err != nil {
			d.Lose(at(domain), "%q is not a domain", domain.values["name"])
			continue
		}
		p.Domains = append(p.Domains, name)
		directories.asked(domain.values["ldapserver_id"], name)
	}
	for _, key := range order {
		finish(d, *groups[key])
	}
	directories.done(d)
	return nil
}

func pick(rows map[string]sqlRow, ids []string) []sqlRow {
	var some []sqlRow
	for _, id := range ids {
		if row, ok := rows[id]; ok {
			some = append(some, row)
		}
	}
	// As automx2 orders them: by prio, then by id.
	slices.SortStableFunc(some, func(a, b sqlRow) int {
		return cmp.Or(number(a.values["prio"])-number(b.values["prio"]), number(a.values["id"])-number(b.values["id"]))
	})
	return some
}

func addAutomx2Servers(d *draft.Draft, p *draft.Product, at func(sqlRow) draft.Place, servers, davs []sqlRow) {
	for _, row := range servers {
		v := row.values
		s := service{at: at(row), kind: v["type"], host: v["name"], port: v["port"],
			socket: v["socket_type"], username: v["user_name"]}
		if v["authentication"] != "" {
			s.methods = []string{v["authentication"]}
		}
		s.add(d, p)
	}
	for _, row := range davs {
		v := row.values
		url := davURL(v["url"], v["port"])
		if v["use_ssl"] == "0" || strings.EqualFold(v["use_ssl"], "false") || v["use_ssl"] == "f" {
			url = strings.Replace(url, "https://", "http://", 1) // which is not carried over
		}
		service{at: at(row), kind: v["type"], url: url, username: v["user_name"]}.add(d, p)
	}
}
