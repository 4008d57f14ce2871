package server_test

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"signpost/account"
	"signpost/internal/golden"
	"signpost/internal/records"
	"signpost/internal/server"
	"signpost/internal/systems"
)

// mailClient is a mail client that searches for the settings of an address as the real
// one does: the same requests in the same order, and the same rule for what it takes as
// an answer.
type mailClient struct {
	name string
	// search returns the servers with which the client sets up an account. It returns
	// none if the client guesses or asks the person.
	search func(*visit) []account.Server
}

// place is where the names of a customer's domain lead.
type place struct {
	name string
	// certificates is set if the customers' names have certificates. Without them, https
	// fails everywhere but at the service's own name.
	certificates bool
	// apex is set if the domain's own name leads to the service, too.
	apex bool
}

var places = []place{
	{"the records that Signpost prints", true, false},
	{"the domain's own name leads to Signpost, too", true, true},
	{"the customers' names have no certificates", false, false},
}

// visit is the search of one client for one address.
type visit struct {
	place
	t       *testing.T
	handler http.Handler
	service string // the service's own name
	address account.Address
	records []records.Record

	elsewhere string // the host of another service to which the client was sent
}

// domain returns the domain of the address.
func (v *visit) domain() string { return v.address.Domain() }

// reply is an answer as the client sees it. Its status is 0 if there is no connection.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) ok() bool { return r.status/100 == 2 }

// srv returns host and port of the SRV record with this label, and whether there is one
// that does not deny the service.
func (v *visit) srv(label string) (host string, port int, ok bool) {
	for _, r := range v.records {
		var priority, weight int
		if r.Name != label+"."+v.domain() || r.Type != "SRV" {
			continue
		}
		if _, err := fmt.Sscan(r.Data, &priority, &weight, &port, &host); err != nil {
			v.t.Fatalf("the record %v: %v", r, err)
		}
		host = strings.TrimSuffix(host, ".")
		return host, port, host != ""
	}
	return "", 0, false
}

// leadsHere reports whether the host name leads to the service. It notes where else the
// records lead.
func (v *visit) leadsHere(host string) bool {
	if host == v.service || v.apex && host == v.domain() {
		return true
	}
	for _, r := range v.records {
		switch {
		case r.Name != host:
		case r.Type == "A", r.Type == "AAAA", r.Data == v.service+".":
			return true
		case r.Type == "CNAME":
			v.elsewhere = strings.TrimSuffix(r.Data, ".")
		}
	}
	return false
}

// get sends a GET. Like post, it follows redirects; %s in the URL stands for the domain.
func (v *visit) get(address string) reply { return v.send(http.MethodGet, address, "") }

// post sends a document in XML.
func (v *visit) post(address, body string) reply { return v.send(http.MethodPost, address, body) }

func (v *visit) send(method, target, body string) reply {
	for range 10 {
		r := v.once(method, target, body)
		location := r.header.Get("Location")
		if r.status/100 != 3 || location == "" {
			return r
		}
		target = location
		if u, err := url.Parse(target); err == nil && !strings.HasSuffix(u.Host, v.domain()) && u.Host != v.service {
			v.elsewhere = u.Host
		}
	}
	return reply{}
}

// once sends one request. Other hosts than the service have nothing to say.
func (v *visit) once(method, target, body string) reply {
	u, err := url.Parse(strings.ReplaceAll(target, "%s", v.domain()))
	if err != nil {
		v.t.Fatalf("%s: %v", target, err)
	}
	if !v.leadsHere(u.Host) || u.Scheme == "https" && !v.certificates && u.Host != v.service {
		return reply{}
	}
	r := httptest.NewRequest(method, u.RequestURI(), strings.NewReader(body))
	r.Host = u.Host
	if body != "" {
		r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	}
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.Bytes()}
}

// TestClients lets every client search for the settings of every mailbox of the example
// systems, and compares with a golden table what it ends up with. One system is there
// twice: with withoutAddress: nothing, and with the default.
func TestClients(t *testing.T) {
	ordinary := systems.Load(t, "mamut")
	ordinary.Name += "-ordinary"
	for _, p := range ordinary.Config.Providers {
		p.NothingWithoutAddress = false
	}
	for _, system := range append(systems.All(t), ordinary) {
		t.Run(system.Name, func(t *testing.T) {
			var text strings.Builder
			usual := map[string]string{}
			for _, where := range places {
				fmt.Fprintf(&text, "%s\n\n", where.name)
				table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
				visits := visitsOf(t, system, where)
				for _, v := range visits {
					fmt.Fprintf(table, "\t%s", v.address)
				}
				fmt.Fprintln(table)
				for _, client := range mailClients {
					row := ""
					for _, v := range visits {
						ends := outcome(system.Settings(t, v.address, ""), client.search(&v), v.elsewhere)
						row += "\t" + ends
						ofDomain := system.Settings(t, account.AnyAt(v.domain()), "").Provider
						if ofDomain.NothingWithoutAddress && strings.HasPrefix(ends, "WRONG") {
							t.Errorf("%s: %s ends up with %s, although clients without an address get nothing",
								v.address, client.name, ends)
						}
					}
					if usual[client.name] != row { // later tables show only what differs from the first
						fmt.Fprintf(table, "%s%s\n", client.name, row)
					}
					usual[client.name] = cmp.Or(usual[client.name], row)
				}
				table.Flush()
				text.WriteByte('\n')
			}
			file := filepath.Join("..", "..", "testdata", "golden", "clients", system.Name+".txt")
			golden.Check(t, file, []byte(text.String()))
		})
	}
}

// visitsOf returns a visit for each address of the system.
func visitsOf(t *testing.T, system systems.System, where place) []visit {
	t.Helper()
	options := optionsFor(system.Directory, io.Discard)
	options.Name, options.HTTPS, options.Exchange = system.Config.Name, true, system.Config.HasExchange()
	handler := server.Handler(options)
	generator := records.New(records.Options{Name: options.Name, Directory: system.Directory})
	var visits []visit
	for _, address := range system.Addresses() {
		domain, err := generator.Domain(t.Context(), address.Domain())
		if err != nil {
			t.Fatal(err)
		}
		visits = append(visits, visit{
			place: where, t: t, handler: handler, service: options.Name, address: address, records: domain.Records,
		})
	}
	return visits
}

// outcome says in words what a client ends up with that found the servers, or was sent
// to another service.
func outcome(settings account.Settings, found []account.Server, elsewhere string) string {
	found = slices.DeleteFunc(found, func(s account.Server) bool { // what is not for mail
		return s.Type == account.CalDAV || s.Type == account.CardDAV || s.Type == account.ManageSieve
	})
	switch {
	case len(found) == 0 && elsewhere != "":
		return "goes to " + elsewhere
	case len(found) == 0:
		return "asks"
	}
	own := settings.Expanded()
	var words, logins []string
	wrong := ""
	for _, s := range found {
		words = append(words, string(s.Type))
		if l := joined(s.Login); !slices.Contains(logins, l) {
			logins = append(logins, l)
		}
		if !slices.ContainsFunc(own, func(o account.Server) bool { return isSame(s, o) }) {
			wrong = "WRONG: "
		}
	}
	return wrong + strings.Join(words, " ") + " as " + strings.Join(logins, ", ")
}

// isSame reports whether a client that found the server signs in to the other one.
func isSame(found, own account.Server) bool {
	return found.Type == own.Type && found.Hostname == own.Hostname && found.Port == own.Port &&
		found.SocketType == own.SocketType && found.URL == own.URL && joined(found.Login) == joined(own.Login)
}

// joined returns the login as a format with one field for both has it.
func joined(l account.Login) string {
	if l.DomainName != "" {
		return l.DomainName + `\` + l.Username
	}
	return l.Username
}
