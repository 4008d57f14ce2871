package autodiscover_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/autodiscover"
	"signpost/internal/systems"
)

// TestSystemsOutlook checks that the answer to Outlook for a mailbox of an example
// system is read as the same servers, and that every system has an answer, an
// error or a redirect as its servers require.
func TestSystemsOutlook(t *testing.T) {
	forEachAddress(t, account.Outlook, func(t *testing.T, s account.Settings) {
		var want []account.Server // mail in the order of preference, then calendars and contacts
		for _, byURL := range []bool{false, true} {
			for i, server := range s.Expanded() {
				types := []account.ServerType{account.IMAP, account.POP3, account.SMTP, account.CalDAV, account.CardDAV}
				if server.Type.HasURL() != byURL || !slices.Contains(types, server.Type) || !takesPassword(server) {
					continue
				}
				isEarlier := func(e account.Server) bool { return e.Type == server.Type && takesPassword(e) }
				if !slices.ContainsFunc(s.Servers[:i], isEarlier) {
					want = append(want, asRead(server))
				}
			}
		}
		incoming := slices.ContainsFunc(want,
			func(s account.Server) bool { return s.Type == account.IMAP || s.Type == account.POP3 })
		document, err := autodiscover.Outlook(s)
		if checkNoDocument(t, s, err, incoming) {
			return
		}
		read, err := autodiscover.Read(document)
		if err != nil {
			t.Fatalf("Read: %v in\n%s", err, document)
		}
		if diff := cmp.Diff(want, read.Expanded()); diff != "" {
			t.Errorf("servers (-written +read):\n%s", diff)
		}
		if read.Address != s.Address {
			t.Errorf("Read: address %s, want %s", read.Address, s.Address)
		}
	})
}

// TestSystemsPhone is like TestSystemsOutlook for phones and for JSON. Neither has a
// place for a login.
func TestSystemsPhone(t *testing.T) {
	forEachAddress(t, account.Phone, func(t *testing.T, s account.Settings) {
		server, ok := s.First(account.ActiveSync)
		server = server.Expand(s.Login)
		document, err := autodiscover.ActiveSync(s)
		ok = ok && server.Login == account.Login{Username: s.Address.String()}
		if !checkNoDocument(t, s, err, ok) {
			read, err := autodiscover.Read(document)
			if err != nil {
				t.Fatalf("Read: %v in\n%s", err, document)
			}
			if diff := cmp.Diff([]account.Server{asRead(server)}, read.Expanded()); diff != "" {
				t.Errorf("servers (-written +read):\n%s", diff)
			}
		}
		document, err = autodiscover.JSON(s, "ActiveSync")
		var got struct{ Protocol, Url string }
		if redirect, isRedirect := errors.AsType[*autodiscover.Redirect](err); isRedirect != redirects(s) {
			t.Errorf("JSON: redirect %v, want a redirect: %v", redirect, redirects(s))
		} else if !isRedirect && (err == nil) != ok {
			t.Errorf("JSON: %v, want a URL: %v", err, ok)
		} else if err == nil && (json.Unmarshal(document, &got) != nil || got.Url != server.URL) {
			t.Errorf("JSON: %s, want the URL %s", document, server.URL)
		}
	})
}

// checkNoDocument reports whether err is the redirect or the error that the
// settings require.
func checkNoDocument(t *testing.T, s account.Settings, err error, wantDocument bool) bool {
	t.Helper()
	redirect, isRedirect := errors.AsType[*autodiscover.Redirect](err)
	e, isError := errors.AsType[*autodiscover.Error](err)
	switch {
	case redirects(s):
		if want := strings.ToLower(s.Provider.AutodiscoverRedirect.Hostname); !isRedirect ||
			!strings.Contains(redirect.Location, "https://"+want+"/") {
			t.Errorf("error %v, want a redirect to %s", err, want)
		}
		return true
	case !wantDocument:
		if !isError || e.Code != autodiscover.NotAvailable {
			t.Errorf("error %v, want code %s", err, autodiscover.NotAvailable)
		}
		return true
	case err != nil:
		t.Fatalf("error %v, want a document", err)
	}
	return false
}

func redirects(s account.Settings) bool {
	to := s.Provider.AutodiscoverRedirect
	return to != nil && to.Hostname != "" && !to.AsXML
}

func takesPassword(s account.Server) bool {
	return slices.ContainsFunc(s.Authentication, func(a account.Authentication) bool {
		return a == account.PasswordCleartext || a == account.PasswordEncrypted || a == account.NTLM
	})
}

// asRead returns the server with what an answer can hold. Of the methods it
// tells whether the password goes by NTLM.
func asRead(s account.Server) account.Server {
	read := account.Server{Type: s.Type, Hostname: s.Hostname, Port: s.Port, SocketType: s.SocketType, URL: s.URL,
		Login: s.Login}
	read.Authentication = []account.Authentication{account.PasswordCleartext}
	for _, method := range s.Authentication {
		if method == account.NTLM {
			read.Authentication[0] = method
		}
		if method == account.NTLM || method == account.PasswordCleartext || method == account.PasswordEncrypted {
			break
		}
	}
	return read
}

// forEachAddress calls test with the settings of each mailbox of all example
// systems.
func forEachAddress(t *testing.T, client account.Client, test func(*testing.T, account.Settings)) {
	for _, system := range systems.All(t) {
		for _, a := range system.Addresses() {
			t.Run(system.Name+"/"+a.String(), func(t *testing.T) {
				test(t, system.Settings(t, a, client))
			})
		}
	}
}
