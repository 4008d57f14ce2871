package autoconfig_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/systems"
)

// TestSystems checks that the document for a mailbox of an example system, and
// for its whole domain, is read as the same servers.
func TestSystems(t *testing.T) {
	forEachAddress(t, account.Thunderbird, func(t *testing.T, s account.Settings) {
		document, err := autoconfig.Document(s)
		readable := []account.ServerType{account.IMAP, account.POP3, account.EWS, account.JMAP}
		some := slices.ContainsFunc(readable, func(t account.ServerType) bool { _, ok := s.First(t); return ok })
		if some != (err == nil) {
			t.Fatalf("Document: %v, want a document: %v", err, some)
		}
		if err != nil {
			if !errors.Is(err, autoconfig.ErrNotDescribable) {
				t.Fatalf("Document: %v, want ErrNotDescribable", err)
			}
			return
		}
		read, err := autoconfig.Read(document, s.Address)
		if err != nil {
			t.Fatalf("Read: %v in\n%s", err, document)
		}
		var want []account.Server // the preferred one of each type
		for _, server := range s.Expanded() {
			if first, _ := s.First(server.Type); first.Port == server.Port && first.SocketType == server.SocketType {
				want = append(want, withoutExtras(server))
			}
		}
		if diff := cmp.Diff(sorted(want), sorted(read.Expanded())); diff != "" {
			t.Errorf("servers (-written +read):\n%s", diff)
		}
		if read.Provider.DisplayName != s.Provider.DisplayName {
			t.Errorf("displayName %q, want %q", read.Provider.DisplayName, s.Provider.DisplayName)
		}
	})
}

// TestSystemsPACC checks that PACC describes exactly those domains of the
// example systems where it can express what mail needs, and that it describes
// their servers as they are.
func TestSystemsPACC(t *testing.T) {
	forEachAddress(t, account.PACC, func(t *testing.T, s account.Settings) {
		if !s.Address.IsAny() {
			return
		}
		servers := s.Expanded()
		fits := func(server account.Server) bool {
			return server.SocketType == account.SSL && server.Port == account.DefaultPort(server.Type, account.SSL) &&
				server.Login == account.Login{Username: account.EmailAddress}
		}
		fitting := func(t account.ServerType) bool {
			return slices.ContainsFunc(servers, func(s account.Server) bool { return s.Type == t && fits(s) })
		}
		_, hasIMAP := s.First(account.IMAP)
		want := fitting(account.SMTP) && (fitting(account.IMAP) || !hasIMAP && fitting(account.POP3))

		document, err := autoconfig.PACC(s)
		if want != (err == nil) || err != nil && !errors.Is(err, autoconfig.ErrNotDescribable) {
			t.Fatalf("PACC: %v, want a document: %v", err, want)
		}
		if err != nil {
			return
		}
		read, err := autoconfig.ReadPACC(document, s.Address)
		if err != nil {
			t.Fatalf("ReadPACC: %v in\n%s", err, document)
		}
		for _, server := range read.Expanded() {
			isSame := func(s account.Server) bool { return cmp.Equal(withoutExtras(s), server) }
			if !slices.ContainsFunc(servers, isSame) {
				t.Errorf("ReadPACC has a server that is not configured: %+v", server)
			}
		}
	})
}

// forEachAddress calls test with the settings of each mailbox and each domain of
// all example systems.
func forEachAddress(t *testing.T, client account.Client, test func(*testing.T, account.Settings)) {
	for _, system := range systems.All(t) {
		addresses := system.Addresses()
		for _, a := range system.Unlisted {
			addresses = append(addresses, account.AnyAt(a.Domain()))
		}
		for _, a := range addresses {
			t.Run(system.Name+"/"+a.String()+" "+a.Domain(), func(t *testing.T) {
				test(t, system.Settings(t, a, client))
			})
		}
	}
}

// withoutExtras returns the server without what only other formats have.
func withoutExtras(s account.Server) account.Server {
	s.PathPrefix, s.PastDays, s.PrincipalURL, s.AnswerWithoutLogin = "", 0, "", false
	s.ExchangeEntries, s.ExchangeVersion, s.RestURL, s.GraphURL = false, "", "", ""
	return s
}

func sorted(servers []account.Server) []account.Server {
	return slices.SortedFunc(slices.Values(servers), func(a, b account.Server) int {
		return slices.Index(account.ServerTypes, a.Type) - slices.Index(account.ServerTypes, b.Type)
	})
}
