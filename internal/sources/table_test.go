package sources

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"signpost/internal/directory"
	"signpost/internal/sources/row"
)

// TestTable writes many domains and reads them again.
func TestTable(t *testing.T) {
	want := map[string]directory.Domain{}
	var b *builder
	for range 2 { // the second has the room of the first
		if b == nil {
			b = newBuilder(nil)
		} else {
			b = newBuilder(b.table)
		}
		for i := range 5000 {
			r := row.Domain{Domain: fmt.Sprintf("D%d.example", i), Inactive: i%7 == 0}
			if i%3 == 0 {
				r.Alias = fmt.Sprintf("d%d.example", i+1)
			}
			if i%2 == 0 {
				r.MailHost = "mail" + fmt.Sprint(i%4) + ".example"
			}
			b.add(r)
			want[fmt.Sprintf("d%d.example", i)] = directory.Domain{Alias: r.Alias, MailHost: r.MailHost,
				Inactive: r.Inactive}
		}
	}
	if got := maps.Collect(b.all()); !maps.Equal(got, want) {
		t.Errorf("the table has %d domains, want these %d", len(got), len(want))
	}
	for name, d := range want {
		if got, ok := b.find(name); !ok || got != d {
			t.Errorf("find(%s) = %+v, %v, want %+v", name, got, ok, d)
		}
	}
	if _, ok := b.find("d5000.example"); ok {
		t.Error("find(d5000.example) = true, want false")
	}
}

// TestTableRows checks which of several rows about a domain counts, in any order.
func TestTableRows(t *testing.T) {
	plain, alias := row.Domain{Domain: "a.example"}, row.Domain{Domain: "a.example", Alias: "b.example"}
	off := row.Domain{Domain: "a.example", Inactive: true}
	aliasOff := row.Domain{Domain: "a.example", Alias: "b.example", Inactive: true}
	for _, test := range []struct {
		rows []row.Domain
		want directory.Domain
	}{
		{[]row.Domain{plain, alias}, directory.Domain{Alias: "b.example"}},
		{[]row.Domain{off, plain}, directory.Domain{}},
		{[]row.Domain{off, alias}, directory.Domain{Inactive: true}},
		{[]row.Domain{off, plain, alias}, directory.Domain{Alias: "b.example"}},
		{[]row.Domain{plain, aliasOff}, directory.Domain{}},
		{[]row.Domain{off, aliasOff}, directory.Domain{Inactive: true}},
		{[]row.Domain{aliasOff}, directory.Domain{Alias: "b.example", Inactive: true}},
		{[]row.Domain{off}, directory.Domain{Inactive: true}},
		{[]row.Domain{{Domain: "a.example", Alias: "@B.example"}}, directory.Domain{Alias: "b.example"}},
		{[]row.Domain{plain, {Domain: "a.example", Alias: "a.example"}}, directory.Domain{}},
		{[]row.Domain{{Domain: "a.example", MailHost: "node1"}}, directory.Domain{}},
	} {
		var sums []uint64
		b := newBuilder(nil)
		for range 2 {
			b = newBuilder(b.table)
			for _, r := range test.rows {
				b.add(r)
			}
			if got, ok := b.find("a.example"); !ok || got != test.want {
				t.Errorf("rows %+v say %+v, %v, want %+v", test.rows, got, ok, test.want)
			}
			slices.Reverse(test.rows)
			sums = append(sums, b.sum)
		}
		if sums[0] != sums[1] {
			t.Errorf("rows %+v have another sum in the other order", test.rows)
		}
	}
}

// TestNoDomainRows checks which rows name no domain that can have mailboxes.
func TestNoDomainRows(t *testing.T) {
	for _, name := range []string{"com", "", "no domain", "-", "ALL", "*"} {
		b := newBuilder(nil)
		b.add(row.Domain{Domain: name})
		if b.bad != 1 || b.nameless.rows != 1 || b.len() != 0 {
			t.Errorf("a row with the name %q gives %d domains and counts as %d that name none, want 0 and 1",
				name, b.len(), b.bad)
		}
	}
}

// TestOddities checks what a list of domains tells about rows without an effect.
func TestOddities(t *testing.T) {
	s, b := open(t, lists)
	b.SetDomains(row.Domain{Domain: "a.example", Provider: "gold"}, row.Domain{Domain: "b.example", Provider: "gold"},
		row.Domain{Domain: "c.example", Provider: "air"}, row.Domain{Domain: "anna@example.com"}, row.Domain{Domain: "ALL"},
		row.Domain{Domain: "ALL"}, row.Domain{Domain: ""}, row.Domain{Domain: "com"}, row.Domain{Domain: "localhost"})
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := Oddities{Nameless: 6, Examples: []string{"ALL", "", "com"}, Providers: []string{"air", "gold"}}
	if got := s.Oddities(); !reflect.DeepEqual(got, want) {
		t.Errorf("Oddities() = %+v, want %+v", got, want)
	}
}
