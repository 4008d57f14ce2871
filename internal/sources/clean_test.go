package sources

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"signpost/internal/directory"
	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

// TestNamesOfRows checks which names of a store are taken over, and how.
func TestNamesOfRows(t *testing.T) {
	for _, test := range []struct{ username, want string }{
		{"anna", "anna"}, {" anna berg ", "anna berg"}, {"100%_%d@example.com", "100%_%d@example.com"},
		{"anna\nbcc: x", ""}, {"anna\x1b[31m", ""}, {"\u202Eanna", ""}, {"\u200banna", ""}, {"anna\xff", ""},
		{`WORK\anna`, ""}, {"%EMAILADDRESS%", ""}, {"%EMAILLOCALPART%", ""}, {"x.%EMAILDOMAIN%", ""},
		{strings.Repeat("ä", maxText), strings.Repeat("ä", maxText)}, {strings.Repeat("a", 100_000), ""},
	} {
		var log bytes.Buffer
		b := &memory.Backend{Has: row.Columns{Username: true}}
		b.SetAccounts(row.Account{Address: "anna@example.com", Username: test.username, DisplayName: "Anna\n\x1b[31mBerg"},
			row.Account{Address: "bo@example.com", Username: test.username, DisplayName: strings.Repeat("x", 100_000)})
		s := New(Options{Name: "1-memory", Backend: b, Provider: "p"}, slog.New(slog.NewTextHandler(&log, nil)))
		defer s.Close()
		r, listed, err := s.Account(t.Context(), address(t, "anna@example.com"), directory.Lookup{})
		if !listed || err != nil || r.Username != test.want {
			t.Errorf("the user name %.40q of a store is %.40q (listed: %v, error %v), want %.40q",
				test.username, r.Username, listed, err, test.want)
		}
		if want := "Anna \uFFFD[31mBerg"; r.DisplayName != want {
			t.Errorf("the display name is %q, want %q", r.DisplayName, want)
		}
		r, _, _ = s.Account(t.Context(), address(t, "bo@example.com"), directory.Lookup{})
		if n := len([]rune(r.DisplayName)); n > maxText+1 {
			t.Errorf("a display name of 100000 characters has %d, want %d and an ellipsis", n, maxText)
		}
		wantWarnings := 0
		if test.want == "" {
			wantWarnings = 1
		}
		if n := strings.Count(log.String(), "a row has a user name that is none"); n != wantWarnings {
			t.Errorf("the user name %.40q gives %d warnings, want %d:\n%s",
				test.username, n, wantWarnings, log.String())
		}
	}
}
