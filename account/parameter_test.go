package account

import (
	"errors"
	"testing"
)

func TestParameter(t *testing.T) {
	tests := []struct{ name, query, want string }{
		{"none", "", ""},
		{"another", "emailmd5=x", ""},
		{"escaped", "emailaddress=a%40example.com", "a@example.com"},
		{"raw", "emailaddress=a@example.com", "a@example.com"},
		{"plus", "emailaddress=a+b@example.com", "a+b@example.com"},
		{"escaped plus", "emailaddress=a%2Bb@example.com", "a+b@example.com"},
		{"semicolon", "x=1;y&emailaddress=a;b@example.com", "a;b@example.com"},
		{"equals sign", "emailaddress=a=b@example.com", "a=b@example.com"},
		{"name in any case", "EmailAddress=a@example.com", "a@example.com"},
		{"the first of two", "emailaddress=a@example.com&emailaddress=b@example.com", "a@example.com"},
		{"unescaped once", "emailaddress=%2540", "%40"},
		{"bad escape elsewhere", "x=%zz&emailaddress=a", "a"},
		{"no value", "emailaddress", ""},
	}
	for _, test := range tests {
		if got, err := Parameter(test.query, "emailaddress"); got != test.want || err != nil {
			t.Errorf("%s: Parameter(%q) = %q, %v, want %q", test.name, test.query, got, err, test.want)
		}
	}
	for _, query := range []string{"emailaddress=%", "emailaddress=%4", "emailaddress=a%zz", "emailaddress=%%40"} {
		got, err := Parameter(query, "emailaddress")
		if _, ok := errors.AsType[*AddressError](err); !ok || got != "" {
			t.Errorf("Parameter(%q) = %q, %v, want an AddressError", query, got, err)
		}
	}
}

func TestRawParameter(t *testing.T) {
	for _, test := range []struct {
		query, want string
		ok          bool
	}{
		{"", "", false},
		{"x=1", "", false},
		{"Name", "", true},
		{"x=1&NAME=Anna+Ek%zz&name=other", "Anna+Ek%zz", true},
	} {
		if got, ok := RawParameter(test.query, "name"); got != test.want || ok != test.ok {
			t.Errorf("RawParameter(%q) = %q, %v, want %q, %v", test.query, got, ok, test.want, test.ok)
		}
	}
}
