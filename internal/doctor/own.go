package doctor

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
	"signpost/internal/records"
	"signpost/internal/show"
)

// Own is the configuration of the service on this machine.
type Own struct {
	Service string           // the service's own host name
	Resolve account.Resolver // its directory
	// Records returns what a domain should have in DNS; nil if the configuration does not say
	// where the service is.
	Records func(ctx context.Context, domain string) (records.Domain, error)
}

// OwnView is what the service on this machine would tell for the address, and whether the
// world gets that.
type OwnView struct {
	Hosted bool `json:"hosted"`
	// NotKnown says why it cannot be known now whether the domain is hosted.
	NotKnown string  `json:"notKnown,omitempty"`
	Provider string  `json:"provider,omitempty"` // ID in the configuration
	Places   []Place `json:"places,omitempty"`
	// Servers are what a person would type.
	Servers []show.Server `json:"servers,omitempty"`
}

// Place is a URL where clients ask for a hosted domain, and who answers there. An instance is
// recognised by its answer, which is, byte for byte, the document that this configuration makes: so
// it need not tell strangers who it is.
type Place struct {
	Client  string `json:"client"` // as in show
	URL     string `json:"url"`    // without the address
	Address string `json:"address,omitempty"`
	Answer  Answer `json:"answer"`
	Text    string `json:"text,omitempty"` // what is wrong with it
}

// Answer is what the world gets at a place, compared with what this service would tell.
type Answer string

// The answers.
const (
	Ours     Answer = "this-service"   // the same document
	Same     Answer = "same-settings"  // another document with the same servers
	Others   Answer = "other-settings" // another document
	Nothing  Answer = "none"           // no document, or no answer at all
	NotKnown Answer = "not-known"      // it could not be asked
)

// dialectPlace is where a dialect is asked for a domain.
type dialectPlace struct {
	dialect  string
	host     string // below the domain
	question func(domain string, a account.Address) probe.WebQuestion
}

var dialectPlaces = []dialectPlace{
	{"thunderbird", "autoconfig", func(domain string, a account.Address) probe.WebQuestion {
		return client.AutoconfigFor("https", domain, a)
	}},
	{"thunderbird", "autoconfig", func(domain string, a account.Address) probe.WebQuestion {
		return client.AutoconfigFor("http", domain, a)
	}},
	{"thunderbird-android", "autoconfig", func(domain string, a account.Address) probe.WebQuestion {
		return client.Autoconfig("https", domain)
	}},
	{"outlook", "autodiscover", func(domain string, a account.Address) probe.WebQuestion {
		return client.Autodiscover(client.AutodiscoverURL("https", "autodiscover."+domain), a)
	}},
	{"activesync", "autodiscover", func(domain string, a account.Address) probe.WebQuestion {
		return client.MobileSync(client.AutodiscoverURL("https", "autodiscover."+domain), a)
	}},
	{"pacc", "ua-auto-config", func(domain string, a account.Address) probe.WebQuestion { return client.PACC(domain) }},
}

// ownSettings returns what this service has for the address; nil if the domain is not its own.
func (e *examination) ownSettings(ctx context.Context) *account.Settings {
	if e.Own == nil {
		return nil
	}
	settings, err := e.Own.Resolve(ctx, account.Query{Address: e.Address})
	if err != nil {
		return nil // compareOwn says so
	}
	return &settings
}

// compareOwn compares what the world gets with what this service would tell.
func (e *examination) compareOwn(ctx context.Context) *OwnView {
	if e.Own == nil {
		return nil
	}
	report, err := show.Explain(ctx, e.Own.Resolve, e.Address, e.Own.Service)
	switch {
	case account.IsUnknown(err):
		return &OwnView{}
	case err != nil:
		e.watch.miss("what this Signpost would tell", err.Error())
		return &OwnView{NotKnown: err.Error()}
	}
	view := &OwnView{Hosted: true, Provider: report.Provider, Servers: toType(report)}
	places := make([][]Place, len(dialectPlaces))
	var asking sync.WaitGroup
	for i, p := range dialectPlaces {
		want, document := e.ownDocument(ctx, p.dialect)
		if document != nil {
			asking.Go(func() { places[i] = e.comparePlace(ctx, p, want, document) })
		}
	}
	asking.Wait()
	view.Places = slices.Concat(places...)
	return view
}

// toType returns what a person would type: the servers of the client that is told most.
func toType(r *show.Report) []show.Server {
	for _, c := range r.Clients {
		if len(c.Servers) > 0 && c.Wrong == "" {
			return c.Servers
		}
	}
	for _, c := range r.Clients {
		if len(c.Manual) > 0 {
			return c.Manual
		}
	}
	return nil
}

// ownDocument returns the document that this service has for a dialect, nil if it tells
// nothing by it.
func (e *examination) ownDocument(ctx context.Context, name string) (show.Dialect, []byte) {
	dialect, _ := show.Find(name)
	settings, err := e.Own.Resolve(ctx, dialect.Query(e.Address))
	if err != nil {
		return dialect, nil
	}
	document, err := dialect.Write(settings, e.Own.Service)
	if err != nil {
		return dialect, nil // a refusal, which is compared by what clients make of it
	}
	return dialect, document
}

// maxInstances is how many addresses of a name are asked.
const maxInstances = 4

// comparePlace asks every address of a place, as each may be another instance.
func (e *examination) comparePlace(ctx context.Context, p dialectPlace, d show.Dialect, document []byte) []Place {
	q := p.question(e.Address.Domain(), e.Address)
	url, _, _ := strings.Cut(q.URL, "?")
	place := Place{Client: p.dialect, URL: url}
	compare := func(a probe.WebAnswer) Place {
		place := place
		if a.Address.IsValid() {
			place.Address = a.Address.String()
		}
		place.Answer, place.Text = e.judge(a, d, document)
		return place
	}
	first := e.recording.Web(ctx, q)
	places := []Place{compare(first)}
	for _, at := range e.addresses(ctx, p.host+"."+e.Address.Domain()) {
		if at != first.Address && first.Address.IsValid() && len(places) < maxInstances {
			q.Address = at
			places = append(places, compare(e.recording.Web(ctx, q)))
		}
	}
	return places
}

// addresses returns the addresses of a host.
func (e *examination) addresses(ctx context.Context, host string) (all []netip.Addr) {
	for _, recordType := range []string{"A", "AAAA"} {
		for _, r := range e.recording.DNS(ctx, client.DNS(recordType, host)).OfType(recordType) {
			if a, err := netip.ParseAddr(r.Data); err == nil {
				all = append(all, a)
			}
		}
	}
	return all
}

// judge says whose answer it is.
func (e *examination) judge(a probe.WebAnswer, d show.Dialect, document []byte) (Answer, string) {
	switch {
	case !a.Failure.Known():
		return NotKnown, a.Failure.Text
	case a.Failure != nil:
		return Nothing, a.Failure.Text
	case a.Status != 200:
		return Nothing, describeWeb(a)
	case bytes.Equal(a.Body, document):
		return Ours, strings.TrimSpace(problems(a.TLS))
	}
	theirs, err := d.Read(a.Body, e.Address)
	if err != nil {
		return Nothing, describeWeb(a)
	}
	ours, err := d.Read(document, e.Address)
	if err == nil && fmt.Sprint(ours.Expanded()) == fmt.Sprint(theirs.Expanded()) {
		return Same, "another instance or version made the document"
	}
	var parts []string
	for _, s := range theirs.Expanded() {
		where := s.URL
		if where == "" {
			where = fmt.Sprintf("%s:%d %s", s.Hostname, s.Port, s.SocketType)
		}
		parts = append(parts, string(s.Type)+" "+where)
	}
	return Others, "tells " + strings.Join(parts, ", ")
}
