package certs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"signpost/account"
)

// TestRenewalDecision checks that a renewal is only ordered for a name that is
// still hosted here and leads here.
func TestRenewalDecision(t *testing.T) {
	away := errors.New("it is at 192.0.2.7")
	for _, test := range []struct {
		name      string
		listed    bool
		allowed   error
		leadsHere error
		want      string // error; empty: ordered
		erased    bool
		recent    bool
	}{
		{"hosted", false, nil, nil, "", false, false},
		{"listed", true, errSilent, nil, "", false, false}, // Allowed is not asked
		{"DNS fails", false, errSilent, nil, "cannot tell whether the name is hosted here: " + errSilent.Error(), false, false},
		{"moved away", false, account.ErrUnknownDomain, nil, "no longer hosted here", true, false},
		{"missing as of late", false, account.ErrUnknownDomain, nil, "no longer hosted here", false, true},
		{"DNS leads elsewhere", false, nil, away, away.Error(), false, false},
		{"listed, DNS leads elsewhere", true, nil, away, away.Error(), false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			fillStorage(t, dir, 1)
			name := benchName(0)
			m, err := New(Options{ACME: benchACME(dir), Policy: &testPolicy{
				listed:    func(string) bool { return test.listed },
				allowed:   func(context.Context, string) error { return test.allowed },
				recent:    test.recent,
				leadsHere: func(context.Context, string) error { return test.leadsHere },
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			err = m.acme.admit(t.Context(), name, true, nil)
			if test.want == "" && err != nil || test.want != "" &&
				(err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("admit of a renewal = %v, want %q", err, test.want)
			}
			if orders, _ := m.acme.limits.state(); (orders > 0) != (test.want == "") {
				t.Errorf("%d orders counted, want some: %v", orders, test.want == "")
			}
			if _, err := m.acme.load(t.Context(), name); (err == errNotStored) != test.erased {
				t.Errorf("loading the certificate afterwards: %v, want it erased: %v", err, test.erased)
			}
		})
	}
}
