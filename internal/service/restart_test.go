package service

import (
	"slices"
	"testing"
	"time"

	"signpost/internal/certs"
	"signpost/internal/config"
	"signpost/internal/conn"
)

func TestRestartKeys(t *testing.T) {
	withTLS := func(listen string, acme *certs.ACME) config.Config {
		return config.Config{Name: "setup.example", TLS: &config.TLS{Listen: listen, ACME: acme}}
	}
	acme := func(directory string) *certs.ACME { return &certs.ACME{Directory: directory} }
	for _, test := range []struct {
		name     string
		old, now config.Config
		want     []string
	}{
		{"nothing", config.Config{}, config.Config{}, nil},
		{"another name without TLS", config.Config{Name: "a.example"}, config.Config{Name: "b.example"}, nil},
		{"equal ACME", withTLS(":443", acme("a")), withTLS(":443", acme("a")), nil},
		{"TLS added", config.Config{}, withTLS(":443", acme("a")), []string{"tls.listen"}},
		{"TLS removed", withTLS(":443", nil), config.Config{}, []string{"tls.listen"}},
		{"TLS elsewhere", withTLS(":443", nil), withTLS(":8443", nil), []string{"tls.listen"}},
		{"ACME added", withTLS(":443", nil), withTLS(":443", acme("a")), []string{"tls.acme"}},
		{"another ACME directory", withTLS(":443", acme("a")), withTLS(":443", acme("b")), []string{"tls.acme"}},
		{"another name with TLS", withTLS(":443", nil), config.Config{Name: "b.example", TLS: &config.TLS{Listen: ":443"}},
			[]string{"name (of tls)"}},
		{"limits", config.Config{}, config.Config{Limits: config.Limits{PerAddress: 1, Timeouts: conn.Timeouts{Idle: time.Second}}},
			[]string{"limits (times)", "limits.connections"}},
	} {
		if got := restartKeys(&test.old, &test.now); !slices.Equal(got, test.want) {
			t.Errorf("%s: restartKeys = %q, want %q", test.name, got, test.want)
		}
	}
}
