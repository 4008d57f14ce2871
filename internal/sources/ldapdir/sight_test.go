package ldapdir

import (
	"errors"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// TestResigned checks that only a server that refuses the search for any mailbox is left
// alone with it for long.
func TestResigned(t *testing.T) {
	for _, test := range []struct {
		err  error
		want time.Duration
	}{
		{&Error{Code: ldap.LDAPResultSizeLimitExceeded}, sightResign},
		{&Error{Code: ldap.LDAPResultTimeLimitExceeded}, sightResign},
		{&Error{Code: ldap.LDAPResultUnwillingToPerform}, sightResign},
		{&Error{Code: ldap.LDAPResultBusy}, blindLasts},
		{newError("search", server{}, errTimeout), blindLasts},
		{newError("search", server{}, errLost), blindLasts},
		{errors.New("other"), blindLasts},
	} {
		if got := resigned(test.err); got != test.want {
			t.Errorf("resigned(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}
