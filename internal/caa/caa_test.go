package caa

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"signpost/internal/dns"
)

var errSilent = errors.New("does not answer")

// zone answers from records by name: data of CAA records, or "CNAME name". It follows
// CNAMEs as a resolver does.
type zone map[string][]string

func (z zone) lookup(_ context.Context, name, recordType string) (dns.Answer, error) {
	var answer dns.Answer
	for range 5 {
		records := z[name]
		if len(records) == 1 && records[0] == "silent" {
			return dns.Answer{}, errSilent
		}
		if len(records) == 1 && strings.HasPrefix(records[0], "CNAME ") {
			target := strings.TrimPrefix(records[0], "CNAME ")
			answer.Records = append(answer.Records, dns.Record{Name: name, Type: "CNAME", Data: target + "."})
			name = target
			continue
		}
		for _, data := range records {
			answer.Records = append(answer.Records, dns.Record{Name: name, TTL: 300, Type: recordType, Data: data})
		}
		return answer, nil
	}
	return answer, nil
}

// TestRelevant climbs the tree as in RFC 8659 section 3.
func TestRelevant(t *testing.T) {
	z := zone{
		"a.own.example":        {`0 issue "self.example"`},
		"own.example":          {`0 issue "parent.example"`},
		"autoconfig.c.example": {"CNAME setup.hoster.example"},
		"c.example":            {`0 issue "c.example"`},
		"hoster.example":       {`0 issue "hoster.example"`}, // the parent of a CNAME's target does not count
		"autoconfig.d.example": {"CNAME own.example"},
		"alias.e.example":      {"CNAME f.example"}, // at a parent of the name
		"f.example":            {`0 issue "f.example"`},
		"tld":                  {`0 issue "tld.example"`},
		"x.silent.example":     {"silent"},
		"silent.example":       {`0 issue ";"`},
	}
	for name, want := range map[string]string{
		"a.own.example":          "a.own.example",
		"b.own.example":          "own.example",
		"x.y.b.own.example":      "own.example",
		"autoconfig.c.example":   "c.example",
		"autoconfig.d.example":   "own.example",
		"auto.alias.e.example":   "f.example",
		"autoconfig.mail.tld":    "tld",
		"autoconfig.none.test":   "",
		"setup.hoster.example":   "hoster.example",
		"autoconfig.x.c.example": "c.example",
	} {
		got, err := Relevant(t.Context(), z.lookup, name)
		if err != nil || got.Name != want || len(got.Records) > 1 || (len(got.Records) == 0) != (want == "") {
			t.Errorf("Relevant(%q) = %q with %v, %v, want the records of %q", name, got.Name, got.Records, err, want)
		}
	}
	if _, err := Relevant(t.Context(), z.lookup, "x.silent.example"); !errors.Is(err, errSilent) {
		t.Errorf("Relevant of a name whose server is silent fails with %v, want %v", err, errSilent)
	}
}

func TestAllow(t *testing.T) {
	const account = "https://ca.example/acme/acct/7"
	ours := Named("ca.example", "ca-too.example")
	ours.Accounts = func() []string { return []string{account} }
	ours.Methods = []string{"http-01", "tls-alpn-01"}
	unknown := Named()
	const put = `0 issue "ca.example"`
	for _, row := range []struct {
		name    string
		records []string
		a       Authority
		problem string // of the error, empty for none
		cure    string // "+ data" or "- data"
	}{
		{"no records", nil, ours, "", ""},
		{"ours", []string{`0 issue "ca.example"`}, ours, "", ""},
		{"another name of ours", []string{`0 issue "ca-too.example"`}, ours, "", ""},
		{"in any case", []string{`0 ISSUE "CA.example"`}, ours, "", ""},
		{"with spaces", []string{`0 issue "  ca.example  "`}, ours, "", ""},
		{"critical", []string{`128 issue "ca.example"`}, ours, "", ""},
		{"one of several", []string{`0 issue "other.example"`, `0 issue ";"`, `0 issue "ca.example"`}, ours, "", ""},
		{"another", []string{`0 issue "other.example"`}, ours, "allow only other.example to issue certificates", "+ " + put},
		{"others", []string{`0 issue "other.example"`, `0 issue "more.example; a=b"`, `0 issue "other.example"`}, ours,
			"allow only other.example, more.example to issue certificates", "+ " + put},
		{"nobody", []string{`0 issue ";"`}, ours, "allow nobody to issue certificates", "+ " + put},
		{"an empty value", []string{`0 issue ""`}, ours, "allow nobody to issue certificates", "+ " + put},
		{"wildcards only", []string{`0 issuewild "other.example"`, `0 issuewild ";"`}, ours, "", ""},
		{"reports only", []string{`0 iodef "mailto:a@example.com"`}, ours, "", ""},
		{"an unknown property", []string{`0 tbs "unknown"`, `1 tbs "unknown"`}, ours, "", ""},
		{"an unknown critical property", []string{`0 issue "ca.example"`, `128 tbs "unknown"`}, ours,
			`have the critical property "tbs", which no authority knows`, `- 128 tbs "unknown"`},
		{"a known critical property", []string{`128 iodef "mailto:a@example.com"`, `128 issuemail ";"`}, ours, "", ""},
		{"parameters that mean nothing", []string{`0 issue "ca.example; policy=ev"`}, ours, "", ""},
		{"a semicolon without parameters", []string{`0 issue "ca.example; "`}, ours, "", ""},
		{"broken parameters name nobody", []string{`0 issue "ca.example; %%%"`}, ours, "allow nobody to issue certificates",
			"+ " + put},
		{"a semicolon too many", []string{`0 issue "ca.example; a=b;"`}, ours, "allow nobody to issue certificates", "+ " + put},
		{"our account", []string{`0 issue "ca.example; accounturi=` + account + `"`}, ours, "", ""},
		{"another account", []string{`0 issue "ca.example; accounturi=https://ca.example/acme/acct/8"`}, ours,
			"allow certificates for other accounts only", `+ 0 issue "ca.example; accounturi=` + account + `"`},
		{"two accounts", []string{`0 issue "ca.example; accounturi=` + account + `; accounturi=x"`}, ours,
			"allow nobody to issue certificates", "+ " + put},
		{"an account, ours unknown", []string{`0 issue "ca.example; accounturi=x"`}, Named("ca.example"), "", ""},
		{"a way of ours", []string{`0 issue "ca.example; validationmethods=dns-01,http-01"`}, ours, "", ""},
		{"another way", []string{`0 issue "ca.example; validationmethods=dns-01"`}, ours,
			"allow validation by dns-01 only", `+ 0 issue "ca.example; validationmethods=http-01,tls-alpn-01"`},
		{"an authority of unknown names", []string{`0 issue "other.example"`}, unknown, "", ""},
		{"nobody, of unknown names", []string{`0 issue ";"`, `0 iodef "mailto:a@example.com"`}, unknown,
			"allow nobody to issue certificates", `- 0 issue ";"`},
		{"data that cannot be read", []string{`\# 1 00`}, ours, "", ""},
	} {
		set, err := Relevant(t.Context(), zone{"example.com": row.records}.lookup, "autoconfig.example.com")
		if err != nil {
			t.Fatal(err)
		}
		err = set.Allow(t.Context(), row.a)
		forbidden, _ := errors.AsType[*Forbidden](err)
		if forbidden == nil {
			if err != nil || row.problem != "" {
				t.Errorf("%s: Allow = %v, want %q", row.name, err, row.problem)
			}
			continue
		}
		var cure []string
		for _, r := range forbidden.Remove {
			cure = append(cure, "- "+r.Data)
		}
		for _, r := range forbidden.Put {
			if r.Name != "example.com" || r.TTL != 300 || r.Type != "CAA" {
				t.Errorf("%s: the cure is %v, want a CAA record at example.com with the TTL of the others", row.name, r)
			}
			cure = append(cure, "+ "+r.Data)
		}
		if forbidden.Problem != row.problem || strings.Join(cure, "\n") != row.cure {
			t.Errorf("%s: Allow says that the records %q with the cure %q, want %q with %q",
				row.name, forbidden.Problem, cure, row.problem, row.cure)
		}
		// The cure cures.
		cured := Set{set.Name, append(forbidden.Put, set.Records...)}
		for _, r := range forbidden.Remove {
			cured.Records = remove(cured.Records, r)
		}
		if err := cured.Allow(t.Context(), row.a); err != nil {
			t.Errorf("%s: with the cure, Allow = %v", row.name, err)
		}
	}
}

func remove(records []dns.Record, r dns.Record) []dns.Record {
	var left []dns.Record
	for _, other := range records {
		if !reflect.DeepEqual(other, r) {
			left = append(left, other)
		}
	}
	return left
}

// TestIdentitiesOnlyIfNeeded checks that the authority is asked for its names only where
// a record makes a difference, and that a failure is not taken for a no.
func TestIdentitiesOnlyIfNeeded(t *testing.T) {
	a := Authority{Identities: func(context.Context) ([]string, error) { return nil, errSilent }}
	for data, want := range map[string]error{
		`0 iodef "mailto:a@example.com"`: nil,
		`0 issuewild ";"`:                nil,
		`0 issue "ca.example"`:           errSilent,
	} {
		err := Set{"example.com", []dns.Record{{Data: data}}}.Allow(t.Context(), a)
		if !errors.Is(err, want) {
			t.Errorf("Allow with %s = %v, want %v", data, err, want)
		}
	}
}
