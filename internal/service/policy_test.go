package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"signpost/internal/records"
)

// TestAddresses: one kind of address is enough, and none is only an error if
// DNS did not say so.
func TestAddresses(t *testing.T) {
	failure := errors.New("SERVFAIL")
	type answer struct {
		records string // addresses, or a CNAME before them
		err     error
	}
	for _, row := range []struct {
		a, aaaa answer
		want    string
		err     error
	}{
		{answer{"192.0.2.1", nil}, answer{"2001:db8::1", nil}, "[192.0.2.1 2001:db8::1]", nil},
		{answer{"192.0.2.1", nil}, answer{"", failure}, "[192.0.2.1]", nil},
		{answer{"", failure}, answer{"2001:db8::1", nil}, "[2001:db8::1]", nil},
		{answer{"", nil}, answer{"", failure}, "[]", failure},
		{answer{"", failure}, answer{"", nil}, "[]", failure},
		{answer{"", failure}, answer{"", failure}, "[]", failure},
		{answer{"", nil}, answer{"", nil}, "[]", nil},
	} {
		got, err := addresses(t.Context(), "name.example", func(_ context.Context, _, recordType string) (records.Answer, error) {
			a := map[string]answer{"A": row.a, "AAAA": row.aaaa}[recordType]
			found := records.Answer{Records: []records.Record{{Type: "CNAME", Data: "other.example."}}}
			for _, address := range strings.Fields(a.records) {
				found.Records = append(found.Records, records.Record{Type: recordType, Data: address})
			}
			return found, a.err
		})
		if fmt.Sprint(got) != row.want || err != row.err {
			t.Errorf("%+v: got %v %v", row, got, err)
		}
	}
}
