package records

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"signpost/internal/caa"
	"signpost/internal/dns/dnstest"
)

// TestCompareCAA compares zones whose CAA records decide about certificates. The records
// of the cure make the finding go away.
func TestCompareCAA(t *testing.T) {
	const put = `  + kund.example. 300 IN CAA 0 issue "ca.example"` + "\n"
	ours := caa.Named("ca.example", "more.example")
	unknown := caa.Authority{Identities: func(context.Context) ([]string, error) {
		return nil, errors.New("no answer")
	}}
	for _, row := range []struct {
		name, records string
		authority     caa.Authority
		want          string // what the comparison says after "autoconfig.kund.example "
		mild          bool   // the owner of the domain cannot cure it
	}{
		{"no records", "", ours, "", false},
		{"our authority", `kund.example. 300 IN CAA 0 issue "CA.example"`, ours, "", false},
		{"wildcards only", `kund.example. 300 IN CAA 0 issuewild ";"`, ours, "", false},
		{"another authority", `kund.example. 300 IN CAA 0 issue "digicert.com"`, ours,
			"can get no certificate, because the CAA records of kund.example allow only digicert.com to issue certificates\n" + put, false},
		{"nobody", `kund.example. 300 IN CAA 0 issue ";"`, ours,
			"can get no certificate, because the CAA records of kund.example allow nobody to issue certificates\n" + put, false},
		{"an unknown critical property", `kund.example. 300 IN CAA 128 tbs "x"`, ours,
			"can get no certificate, because the CAA records of kund.example have the critical property \"tbs\", " +
				"which no authority knows\n  - kund.example. 300 IN CAA 128 tbs \"x\"\n", false},
		{"an authority that gives no answer", `kund.example. 300 IN CAA 0 issue "digicert.com"`, unknown,
			"has CAA records that could not be compared: cannot tell by which name CAA records know the authority: no answer\n", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			domain := ordinaryDomain()
			zone := zoneOf(t, domain) + row.records + "\n"
			for _, own := range []bool{true, false} {
				c := comparerFor(t, zone, own, nil)
				c.CheckCAA(row.authority)
				got := c.Compare(t.Context(), domain)
				_, text, _ := strings.Cut(got.String(), "autoconfig.kund.example ")
				if text != row.want || got.Wrong() != (row.want != "" && !row.mild) || got.Error != "" {
					t.Fatalf("Compare(own servers: %v) = %q, wrong %v, error %q; want %q",
						own, got, got.Wrong(), got.Error, row.want)
				}
				if row.want == "" || row.mild {
					continue
				}
				c = comparerFor(t, cure(zone, got.Findings[0]), own, nil)
				c.CheckCAA(row.authority)
				if left := c.Compare(t.Context(), domain); len(left.Findings) > 0 {
					t.Errorf("Compare(own servers: %v) after the cure = %v, want nothing", own, left)
				}
			}
		})
	}
}

// TestCompareCAAOfTarget checks that the records where a CNAME leads count before those of
// the domain, and that the owner of the domain is not blamed for them.
func TestCompareCAAOfTarget(t *testing.T) {
	domain := ordinaryDomain()
	zone := zoneOf(t, domain) + `kund.example. 300 IN CAA 0 issue "ca.example"` + "\n"
	for _, own := range []bool{true, false} {
		c := comparerFor(t, zone, own, func(n *internet) {
			r := dnstest.RR(`setup.example.net. 300 IN CAA 0 issue "digicert.com"`)
			n.rrs["setup.example.net."] = append(n.rrs["setup.example.net."], r)
		})
		c.CheckCAA(caa.Named("ca.example"))
		got := c.Compare(t.Context(), domain)
		want := "kund.example: warning: autoconfig.kund.example can get no certificate, because the CAA records of " +
			"setup.example.net allow only digicert.com to issue certificates\n" +
			`  + setup.example.net. 300 IN CAA 0 issue "ca.example"` + "\n"
		if got.String() != want || got.Wrong() {
			t.Errorf("Compare(own servers: %v) = %q, want the warning %q", own, got, want)
		}
	}
}

// TestCompareCAAFails checks that a failure to look CAA records up is a finding: then no
// authority issues a certificate.
func TestCompareCAAFails(t *testing.T) {
	domain := ordinaryDomain()
	c := comparerFor(t, zoneOf(t, domain), true, func(n *internet) { n.failing = dns.TypeCAA })
	c.CheckCAA(caa.Named("ca.example"))
	got := c.Compare(t.Context(), domain)
	if len(got.Findings) != 1 || !strings.Contains(got.String(), "no authority issues a certificate: ") ||
		!got.Wrong() {
		t.Errorf("Compare = %v, want that the CAA records cannot be looked up", got)
	}
}
