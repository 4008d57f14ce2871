package config

import "testing"

// TestBlankInSQLitePath checks that the path of a SQLite file is taken as it is.
func TestBlankInSQLitePath(t *testing.T) {
	c, err := readAccountsOf(t, `accounts:
  - sql: {database: "sqlite:/srv/my mail%20.db", account: "SELECT a AS address FROM b WHERE a = '%s'", domains: false}
`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/srv/my mail%20.db"; len(c.StoreFiles) != 1 || c.StoreFiles[0] != want {
		t.Errorf("the files of the sources are %q, want %q", c.StoreFiles, want)
	}
}
