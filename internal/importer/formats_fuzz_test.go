package importer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/format"
)

func FuzzAutoconfig(f *testing.F)      { fuzzFormat(f, "autoconfig") }
func FuzzAutomx2Seed(f *testing.F)     { fuzzFormat(f, "automx2-seed") }
func FuzzAutomx2DB(f *testing.F)       { fuzzFormat(f, "automx2-db") }
func FuzzAutomx(f *testing.F)          { fuzzFormat(f, "automx") }
func FuzzMonogramm(f *testing.F)       { fuzzFormat(f, "monogramm") }
func FuzzMailcow(f *testing.F)         { fuzzFormat(f, "mailcow") }
func FuzzSolarssk(f *testing.F)        { fuzzFormat(f, "solarssk") }
func FuzzGoAutoconfig(f *testing.F)    { fuzzFormat(f, "go-autoconfig") }
func FuzzMox(f *testing.F)             { fuzzFormat(f, "mox") }
func FuzzAppleProfiles(f *testing.F)   { fuzzFormat(f, "mobileconfig") }
func FuzzWdes(f *testing.F)            { fuzzFormat(f, "wdes") }
func FuzzGoAutoconfigEnv(f *testing.F) { fuzzFormat(f, "go-autoconfig-env") }

func FuzzSolarsskEnv(f *testing.F) {
	f.Add("SMTP_HOST=smtp.a.example\nUSERNAME_FORMAT=localpart\nPUBLIC_BASE_URL=https://a.example\nTRUSTED_PROXY_IPS=10.0.0.0/8,::1\n")
	fuzzFormat(f, "solarssk", "ALLOWED_DOMAINS=a.example\nIMAP_HOST=imap.a.example\n")
}

func FuzzMonogrammCompose(f *testing.F) {
	f.Add("    environment:\n      - IMAP_HOST=imap.a.example\n      - DOMAIN=a.example\n")
	f.Add("    env_file: x.env\n    environment: {IMAP_HOST: imap.a.example, IMAP_PORT: 993, DOMAIN: a.example}\n")
	fuzzFormat(f, "monogramm", "services:\n  a:\n    environment: {}\n  b:\n")
}

func FuzzMailcowPHP(f *testing.F) {
	f.Add("$autodiscover_config['imap'] = array('server' => \"imap.$mailcow_hostname\", 'port' => (int)getenv('IMAPS_PORT'));")
	f.Add("// 'x'\n$autodiscover_config = ['displayName' => 'It\\'s #1', 'smtp' => ['port' => 1 == 2 ? '' : 465]]; ?> text")
	fuzzFormat(f, "mailcow", "MAILCOW_HOSTNAME=mail.a.example\n"+separator+"<?php $autodiscover_config['x'] = 1;\n")
}

// separator is a line between files of one format that belong together.
const separator = "\n--8<--\n"

// fuzzFormat reads files of a format that anybody may have written. What is not refused in a
// sentence becomes a configuration that says the same, or nothing is written. What is put before
// the text keeps to the part of the format that is meant.
func fuzzFormat(f *testing.F, name string, before ...string) {
	var reader format.Format
	for _, one := range format.All {
		if one.Name == name {
			reader = one
		}
	}
	folders, err := filepath.Glob("testdata/formats/*")
	if err != nil || reader.Read == nil {
		f.Fatalf("%s: %v", name, err)
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			f.Fatal(err)
		}
		var texts []string
		for _, entry := range entries {
			data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				f.Fatal(err)
			}
			if reader.Is(format.File{Path: entry.Name(), Data: data}) && entry.Name() != "signpost.yaml" {
				texts = append(texts, string(data))
			}
		}
		if len(texts) > 0 && before == nil {
			f.Add(strings.Join(texts, separator))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var files []format.File
		for part := range strings.SplitSeq(strings.Join(before, "")+text, separator) {
			if format.IsDatabase([]byte(part)) {
				return // SQLite reads it, and not this package
			}
			files = append(files, format.File{Path: "file", Data: []byte(part)})
		}
		d := draft.Draft{Title: reader.Title}
		if err := reader.Read(files, &d); err != nil {
			if list, ok := errors.AsType[fault.List](err); !ok || list[0].File != "file" || list[0].Text == "" {
				t.Errorf("the error %v does not name the file", err)
			}
			return
		}
		for _, remark := range d.Lost {
			if strings.TrimSpace(remark.Text) == "" || remark.Place.File == "" {
				t.Errorf("a remark says nothing: %+v", remark)
			}
		}
		if len(d.Products) == 0 {
			return
		}
		// What a configuration cannot hold is refused here at the latest, and nothing is written.
		dir := t.TempDir()
		if _, err := Save(t.Context(), filepath.Join(dir, "signpost.yaml"), false, &d); err != nil {
			if left, _ := os.ReadDir(dir); len(left) > 0 || err.Error() == "" {
				t.Errorf("error %v, and %d files are left", err, len(left))
			}
		}
	})
}
