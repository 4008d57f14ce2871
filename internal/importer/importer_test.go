package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/config"
	"signpost/internal/importer/draft"
)

// example returns a draft of one product.
func example(change ...func(*draft.Product)) *draft.Draft {
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	p := draft.Product{Domains: []string{"udde.example"}, Provider: account.Provider{DisplayName: "Udde Mail", Servers: []account.Server{
		{Type: account.IMAP, Hostname: "mail.udde.example", Port: 993, SocketType: account.SSL, Login: login, Authentication: password},
		{Type: account.SMTP, Hostname: "mail.udde.example", Port: 465, SocketType: account.SSL, Login: login, Authentication: password},
	}}}
	for _, c := range change {
		c(&p)
	}
	return &draft.Draft{Title: "a test", Products: []draft.Product{p}}
}

// TestTexts writes texts of all kinds, and reads them as the program does.
func TestTexts(t *testing.T) {
	for _, text := range []string{
		"Udde Mail", "Post & Co", `"Post"`, "it's", "no", "Yes", "null", "12", "0x1f", "1e3", "~", "- a", "a: b", "a #b", "#b", "{a}", "[a]",
		"a, b", "*a", "&a", "!a", "|", ">", "%a%", "@a", "`a`", "Åkeriets e-post", "日本", "a\\b", "é", "a:", "?", "--- a", "...",
		"2026-11-27", "true ", "=", "<<", "a\u0085b", "\ufeffa", "😀",
	} {
		file := filepath.Join(t.TempDir(), "signpost.yaml")
		d := example(func(p *draft.Product) { p.Provider.DisplayName = text })
		if err := os.WriteFile(file, Write(d), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file)
		if err != nil {
			t.Errorf("display name %q: %v\n%s", text, err, Write(d))
			continue
		}
		want := strings.TrimSpace(strings.NewReplacer("\u0085", " ", "\ufeff", " ").Replace(text))
		if got := c.Providers[0].DisplayName; strings.TrimSpace(got) != want {
			t.Errorf("the display name %q is read as %q, want %q\n%s", text, got, want, Write(d))
		}
	}
}

// TestProve checks that a configuration that says something else than the draft is found.
func TestProve(t *testing.T) {
	good := string(Write(example()))
	for _, row := range []struct{ from, to, want string }{
		{"", "", ""},
		{"port: 993", "port: 10993", "udde.example: its servers would be"},
		{"hostname: mail.udde.example, port: 465", "hostname: smtp.udde.example, port: 465", "udde.example: its servers would be"},
		{"socketType: SSL}", `socketType: SSL, username: "%EMAILLOCALPART%"}`, "udde.example: its servers would be"},
		{"[udde.example]", "[vik.example]", "not hosted here"},
		{"displayName: Udde Mail", "displayName: Other", `its displayName would be "Other", but the source has "Udde Mail"`},
		{"socketType: SSL}", "socketType: SSL, pathPrefix: INBOX}", "udde.example: its servers would be"},
		{"    servers:", "    autodiscover: {hostname: autodiscover.outlook.com}\n    servers:", "its autodiscover would be"},
		{"servers:", "server:", "server"},
	} {
		file := filepath.Join(t.TempDir(), "signpost.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(good, row.from, row.to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		proof, err := Prove(t.Context(), file, example())
		switch {
		case row.want == "" && (err != nil || proof.Domains != 1):
			t.Errorf("Prove of what was written = %+v, %v, want 1 domain", proof, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("Prove with %q for %q = %v, want an error with %q", row.to, row.from, err, row.want)
		}
	}
}

// TestSave checks that a file is written whole or not at all, and never replaced without force.
func TestSave(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "signpost.yaml")
	bad := example(func(p *draft.Product) { p.Provider.Servers[0].Hostname = "not a host" })
	if _, err := Save(t.Context(), file, false, bad); err == nil || !strings.Contains(err.Error(), "signpost.yaml:") {
		t.Errorf("Save of a server without a good host name = %v, want a fault with its place", err)
	}
	if _, err := Save(t.Context(), file, false, example()); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := example(func(p *draft.Product) { p.Provider.DisplayName = "Other" })
	if _, err := Save(t.Context(), file, false, other); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("Save over a file = %v, want that it exists already", err)
	}
	if again, _ := os.ReadFile(file); string(again) != string(first) {
		t.Errorf("the file was changed without force:\n%s", again)
	}
	if _, err := Save(t.Context(), file, true, other); err != nil {
		t.Fatal(err)
	}
	if forced, _ := os.ReadFile(file); string(forced) != string(Write(other)) {
		t.Errorf("with force, the file is\n%s\nwant\n%s", forced, Write(other))
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left in the folder, %v, want the configuration alone", len(entries), err)
	}
}

// TestMerge checks that domains with the same servers become one provider, in the order of the source.
func TestMerge(t *testing.T) {
	d := example()
	d.Products = append(d.Products, example(func(p *draft.Product) {
		p.Domains = []string{"vik.example"}
		p.Provider.Servers[0].Port = 10993
	}).Products...)
	d.Products = append(d.Products, example(func(p *draft.Product) {
		p.Domains = []string{"berga.example", "udde.example"}
	}).Products...)
	merged := Merge(d.Products)
	if len(merged) != 2 || strings.Join(merged[0].Domains, " ") != "udde.example berga.example" {
		t.Errorf("Merge = %v, want two products, the first with udde.example and berga.example", merged)
	}
	if len(d.Products[0].Domains) != 1 {
		t.Errorf("the draft was changed: %v", d.Products[0].Domains)
	}
}

// FuzzWrite checks that no text of a source makes a configuration that says something else.
func FuzzWrite(f *testing.F) {
	f.Add("Udde Mail", "mail.udde.example", "%EMAILLOCALPART%", "a remark\nname: x")
	f.Add("a: b", "mail.%EMAILDOMAIN%", "x\"\n- b", "\u2028providers: []")
	f.Fuzz(func(t *testing.T, name, host, user, remark string) {
		d := example(func(p *draft.Product) {
			p.Provider.DisplayName = name
			p.Provider.Servers[0].Hostname, p.Provider.Servers[0].Login.Username = host, user
			p.Guesses = []string{remark}
		})
		d.Lose(draft.Place{File: remark, Line: 1}, "%s", remark)
		d.Title = remark
		file := filepath.Join(t.TempDir(), "signpost.yaml")
		if err := os.WriteFile(file, Write(d), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file)
		if err == nil && (len(c.Providers) != 1 || len(c.Providers[0].Servers) != 2 || c.Name != "") {
			t.Errorf("the texts changed what the configuration is:\n%s", Write(d))
		}
	})
}

// TestSimplify checks that names become placeholders where two domains agree, and only there.
func TestSimplify(t *testing.T) {
	at := func(domain, host string) draft.Product {
		return example(func(p *draft.Product) {
			p.Domains = []string{domain}
			for i := range p.Provider.Servers {
				p.Provider.Servers[i].Hostname = host
			}
			p.Provider.Webmail = "https://webmail." + domain + "/"
		}).Products[0]
	}
	for _, row := range []struct {
		products []draft.Product
		want     []string // the host of each product, and its domains
	}{
		{[]draft.Product{at("udde.example", "mail.udde.example")}, []string{"mail.udde.example: udde.example"}},
		{
			[]draft.Product{at("udde.example", "mail.udde.example"), at("vik.example", "mail.vik.example")},
			[]string{"mail.%EMAILDOMAIN%: udde.example vik.example"},
		},
		{
			[]draft.Product{at("udde.example", "udde.example"), at("vik.example", "mail.vik.example"), at("berga.example", "berga.example")},
			[]string{"%EMAILDOMAIN%: udde.example berga.example", "mail.vik.example: vik.example"},
		},
		{
			[]draft.Product{at("udde.example", "mail.xudde.example"), at("vik.example", "mail.xvik.example")},
			[]string{"mail.xudde.example: udde.example", "mail.xvik.example: vik.example"},
		},
	} {
		var got []string
		for _, p := range Simplify(row.products) {
			got = append(got, p.Provider.Servers[0].Hostname+": "+strings.Join(p.Domains, " "))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("Simplify = %q, want %q", got, row.want)
		}
	}
}

// TestManyDomains checks that many domains become a file, and that 100,000 of them take less than 10 s.
func TestManyDomains(t *testing.T) {
	number := 2000
	if n, err := strconv.Atoi(os.Getenv("SIGNPOST_DOMAINS")); err == nil {
		number = n
	}
	d := &draft.Draft{Title: "a test"}
	for i := range number {
		d.Products = append(d.Products, example(func(p *draft.Product) {
			p.Domains = []string{fmt.Sprintf("d%06d.example", i)}
		}).Products...)
	}
	file := filepath.Join(t.TempDir(), "signpost.yaml")
	begun := time.Now()
	proof, err := Save(t.Context(), file, false, d)
	if err != nil || proof.Domains != number {
		t.Fatalf("Save = %+v, %v, want %d domains", proof, err, number)
	}
	took := time.Since(begun)
	t.Logf("%d domains took %v", number, took.Round(time.Millisecond))
	if limit := 5*time.Second + time.Duration(number)*100*time.Microsecond; took > limit {
		t.Errorf("%d domains took %v, want less than %v", number, took, limit)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(file), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if text := read("signpost.yaml"); len(text) > 600 ||
		!strings.Contains(text, "domains: [{file: signpost-domains-udde-mail.txt}]") {
		t.Errorf("the configuration is\n%s\nwant a short one that names the file of domains", text)
	}
	domains := read("signpost-domains-udde-mail.txt")
	if n := strings.Count(domains, "\n"); n != number {
		t.Errorf("the file has %d domains, want %d", n, number)
	}
	other := filepath.Join(filepath.Dir(file), "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Save(t.Context(), filepath.Join(other, "signpost.yaml"), false, d); err != nil {
		t.Fatal(err)
	}
	if read("other/signpost.yaml") != read("signpost.yaml") || read("other/signpost-domains-udde-mail.txt") != domains {
		t.Errorf("two imports of the same source differ")
	}
}

// TestFirstWins imports a domain that two sources have.
func TestFirstWins(t *testing.T) {
	d := example(func(p *draft.Product) { p.Place = draft.Place{File: "one.xml", Line: 3} })
	other := example(func(p *draft.Product) {
		p.Place = draft.Place{File: "two.xml", Line: 5}
		p.Domains = []string{"udde.example", "vik.example"}
		p.Provider.Servers[0].Hostname = "elsewhere.example"
	}).Products[0]
	alike := example(func(p *draft.Product) { p.Place = draft.Place{File: "three.xml", Line: 7} }).Products[0]
	d.Products = append(d.Products, other, alike)
	proof, err := Save(t.Context(), filepath.Join(t.TempDir(), "signpost.yaml"), false, d)
	if err != nil || proof.Domains != 2 {
		t.Errorf("%d domains are proved, %v; want 2", proof.Domains, err)
	}
	want := "udde.example is told otherwise here than by one.xml:3, which was read before and counts"
	if len(d.Lost) != 1 || d.Lost[0].Text != want || d.Lost[0].Place.String() != "two.xml:5" {
		t.Errorf("lost is %v, want %q at two.xml:5", d.Lost, want)
	}
}

// TestProveAliases proves what is told under another name of a domain.
func TestProveAliases(t *testing.T) {
	d := example(func(p *draft.Product) { p.Aliases = map[string]string{"annat.example": "udde.example"} })
	path := filepath.Join(t.TempDir(), "signpost.yaml")
	if proof, err := Save(t.Context(), path, false, d); err != nil || proof.Domains != 2 {
		t.Errorf("%d domains are proved, %v; want 2", proof.Domains, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	without := strings.Replace(string(text), "{alias: annat.example, of: udde.example}", "annat.example", 1)
	if without == string(text) {
		t.Fatalf("the configuration has no alias:\n%s", text)
	}
	if err := os.WriteFile(path, []byte(without), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Prove(t.Context(), path, d); err == nil || !strings.Contains(err.Error(), "annat.example") {
		t.Errorf("an alias that is a domain of its own is proved: %v", err)
	}
}

// TestStandardOutput is refused, as there may be files of domains.
func TestStandardOutput(t *testing.T) {
	if _, err := Save(t.Context(), "-", true, example()); err == nil {
		t.Error("a configuration is written to a file named -")
	}
}

// TestNothing saves a draft without products: the faults of the source are said, not those of an
// empty configuration.
func TestNothing(t *testing.T) {
	d := &draft.Draft{Title: "a test"}
	for _, want := range []string{
		"nothing is written, as no domain with a server is found in a test",
		"a.env: nothing is written, as no domain with a server is found in a test\na.env:3: IMAP: \"-\" is not a host name",
	} {
		folder := t.TempDir()
		_, err := Save(t.Context(), filepath.Join(folder, "signpost.yaml"), false, d)
		if err == nil || err.Error() != want {
			t.Errorf("Save = %v, want %s", err, want)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("%d files are left", len(left))
		}
		d.Lose(draft.Place{File: "a.env", Line: 3}, "IMAP: %q is not a host name", "-")
	}
}
