package ldapdir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// TestStartTLS treats this machine as another one.
func TestStartTLS(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	s := newStore(t, d, d.URI)
	s.pool.dialer.servers[0].secure = startTLS
	if _, err := ask(t, s, 2*time.Second); err != nil {
		t.Errorf("Account after StartTLS = %v, want Anna", err)
	}
	if c := s.pool.slots[0].conn; c != nil {
		if state, ok := c.TLSConnectionState(); !ok || !state.HandshakeComplete {
			t.Error("the connection is not encrypted")
		}
	}
}

func TestCertificates(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	other, _ := rig.Certificate(t, rig.Folder(t, "ca", ""), "")
	for _, secure := range []security{overTLS, startTLS} {
		uri := d.TLS
		if secure == startTLS {
			uri = d.URI
		}
		tests := []struct {
			name, problem string
			change        func(*Options)
			host          string
		}{
			{"an unknown root", "certificate signed by unknown authority",
				func(o *Options) { o.CARoot = "" }, "127.0.0.1"},
			{"another root", "certificate", func(o *Options) { o.CARoot = other }, "127.0.0.1"},
			{"another name", "ldap.example.com", func(*Options) {}, "ldap.example.com"},
		}
		for _, test := range tests {
			o := presets["iredmail"]
			o.Servers, o.BindDN, o.PasswordFile, o.CARoot = []string{uri}, d.BindDN, d.PasswordFile, d.Server.CA
			test.change(&o)
			s := open(t, o)
			s.pool.dialer.servers[0].secure, s.pool.dialer.servers[0].host = secure, test.host
			if _, err := ask(t, s, 2*time.Second); err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%s: Account = %v, want an error with %q", test.name, err, test.problem)
			}
		}
	}
}

// fake is a server that answers the first bytes of each connection with a text, and
// remembers all that came.
func fake(t *testing.T, answer string) (address string, got func() string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	all := make(chan []byte, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				first := make([]byte, 4096)
				n, _ := conn.Read(first)
				all <- first[:n]
				io.WriteString(conn, answer)
				rest, _ := io.ReadAll(conn)
				all <- rest
			}()
		}
	}()
	return listener.Addr().String(), func() string {
		var text bytes.Buffer
		for {
			select {
			case part := <-all:
				text.Write(part)
			case <-time.After(200 * time.Millisecond):
				return text.String()
			}
		}
	}
}

// TestHostileServers has servers that refuse, redirect or talk nonsense.
func TestHostileServers(t *testing.T) {
	const refused = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"
	tests := []struct {
		name, answer string
		secure       security
	}{
		{"StartTLS refused", refused, startTLS},
		{"another text after StartTLS",
			"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00" + strings.Repeat("x", 1000), startTLS},
		{"nothing", "", startTLS},
		{"nonsense before StartTLS", "HTTP/1.0 400 Bad Request\r\n\r\n", startTLS},
		{"nonsense", "HTTP/1.0 400 Bad Request\r\n\r\n", plain},
		{"a message without an end", "\x30\x80\x02\x01\x01", plain},
		{"a message of two gigabytes", "\x30\x84\x7f\xff\xff\xff\x02\x01\x01", plain},
		{"a bind refused", "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00", plain},
		{"a bind sent elsewhere",
			"\x30\x21\x02\x01\x01\x61\x1c\x0a\x01\x0a\x04\x00\x04\x00\xa3\x13\x04\x11ldap://127.0.0.1/", plain},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at, got := fake(t, test.answer)
			o := simple()
			o.Servers, o.BindDN = []string{"ldap://" + at}, "cn=signpost"
			o.PasswordFile = rig.Write(t, t.TempDir(), "password", "hunter2\n")
			s := open(t, o)
			s.pool.dialer.servers[0].secure = test.secure
			took, err := ask(t, s, 3*time.Second)
			if err == nil || took > 2500*time.Millisecond {
				t.Errorf("Account = %v after %v, want a failure in time", err, took)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || strings.Contains(e.Error(), "hunter2") || strings.Contains(e.Error(), "cn=") {
				t.Errorf("Account = %v, want an Error without secrets", err)
			}
			if test.secure == startTLS && strings.Contains(got(), "hunter2") {
				t.Error("the password was sent without encryption")
			}
		})
	}
}

// TestClose closes a store while it connects, and asks it afterwards.
func TestClose(t *testing.T) {
	at, _ := fake(t, "")
	o := simple()
	o.Servers = []string{"ldap://" + at}
	s := open(t, o)
	asked := make(chan error)
	go func() {
		_, err := ask(t, s, 5*time.Second)
		asked <- err
	}()
	time.Sleep(20 * time.Millisecond)
	s.Close()
	if err := <-asked; err == nil {
		t.Error("Account of a closed store knows an answer")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Account(ctx, address(t, "anna@example.com")); err == nil || ctx.Err() != nil {
		t.Errorf("Account after Close = %v, want a failure at once", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second Close = %v", err)
	}
}
