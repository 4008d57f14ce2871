package e2e

import (
	"maps"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

// people are the addresses of the fixtures and what each signs in with when aliases are
// followed. What a mail system has no word for is not in its fixture: see differences.
var people = join(table(`
	anna =                                  a mailbox with an alias to itself in most systems
	bo =                                    the same with a copy outside
	o'hara =
	gone =                                  inactive: no client is told
	nobody =
	info anna@example.com                   an alias
	INFO@EXAMPLE.COM anna@example.com
	anna+news anna@example.com
	info+news anna@example.com
	post anna@example.com                   an alias of an alias
	sales =                                 an alias of two mailboxes
	loop1 =
	loop2 =
	ext =                                   an alias of a mailbox elsewhere
	off =                                   an alias that is switched off
	anna@example.net anna@example.com       another name of the domain
	info@example.net anna@example.com
	any@all.example =                       a catch-all is not followed
	bo@closed.example -                     inactive
	lisa@closed.example -
	lisa@backup.example -                   only relayed
	anna@elsewhere.example -
	anna@ALL -                              a row of PostfixAdmin's that is no domain
	anna@com -
	anna@xn--rksmrgs-5wao1o.example =`),
	map[string]string{
		"Anna@Example.COM":        "Anna@example.com",
		"anna@räksmörgås.example": "anna@xn--rksmrgs-5wao1o.example",
	})

// noOtherName is for systems in which no domain is another name of one.
const noOtherName = "anna@example.net -, info@example.net -,"

// differences are the people of a preset that are not as in most.
var differences = map[string]map[string]string{
	"froxlor":   table(noOtherName + "empty =, anna@webonly.example -, anna@unpaid.example -"),
	"vimbadmin": table(noOtherName),
	"ispmail":   table(noOtherName),
	"gromox": table(noOtherName + `
		post =
		bosse bo@example.com
		shared =                               no person's
		list =
		any@all.example -`),
	"mailcow": table("void =, nologin =, room ="),
	"mailinabox": join(table("abuse anna@example.com, anna@xn--rksmrgs-5wao1o.example -"),
		map[string]string{"anna@räksmörgås.example": notHosted}),
}

// table reads a table of addresses, local parts being of example.com, and of what they
// sign in with: - is a domain that is not hosted, = the address itself. Further words of
// a line are for readers; a comma stands for the end of a line.
func table(text string) map[string]string {
	logins := map[string]string{}
	for line := range strings.Lines(strings.ReplaceAll(text, ",", "\n")) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		address, login := words[0], words[1]
		if !strings.Contains(address, "@") {
			address += "@example.com"
		}
		switch login {
		case "-":
			login = notHosted
		case "=":
			login = address
		}
		logins[address] = login
	}
	return logins
}

func join(all ...map[string]string) map[string]string {
	joined := map[string]string{}
	for _, one := range all {
		maps.Copy(joined, one)
	}
	return joined
}

// source is the YAML of a preset that reads a database.
func source(d *rig.Database) string {
	text := "accounts:\n  - " + d.Preset + ":\n      database: " + d.URL + "\n"
	if d.PasswordFile != "" {
		text += "      passwordFile: " + d.PasswordFile + "\n"
	}
	return text
}

// TestPresets asks about everybody of each fixture in every dialect.
func TestPresets(t *testing.T) {
	for _, fixture := range rig.SQL() {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			s := serve(t, provider+source(d))
			s.loaded(t)
			s.askAll(t, join(people, differences[d.Preset]))
			s.quiet(t)
		})
	}
}

// loaded waits until the list of domains has been read.
func (s *running) loaded(t testing.TB) {
	t.Helper()
	eventually(t, "the list of domains is there", func() bool {
		return s.ask(t, ways[1], "anyone@example.com") == served
	})
}

// askAll asks about everybody in every dialect.
func (s *running) askAll(t *testing.T, logins map[string]string) {
	t.Helper()
	for address, login := range logins {
		for _, w := range ways {
			if got, want := s.ask(t, w, address), s.expect(t, w, address, login); got != want {
				t.Errorf("%s about %s: %s, want %s", w.name, address, got, want)
			}
		}
	}
}

// quiet requires that no question has failed, and that no mailbox stands in the log.
func (s *running) quiet(t *testing.T) {
	t.Helper()
	if text := s.log.String(); strings.Contains(text, "level=WARN") || strings.Contains(text, "level=ERROR") {
		t.Errorf("the log has a warning:\n%s", text)
	}
	if asked := s.metric(t, "signpost_source_lookups_total", `result="miss"`); asked == 0 {
		t.Error("the metrics do not say that anything was looked up")
	}
	if failed := s.metric(t, "signpost_source_lookups_total", `result="failed"`); failed != 0 {
		t.Errorf("%v look-ups failed, want none", failed)
	}
	s.noMailboxLogged(t)
}
