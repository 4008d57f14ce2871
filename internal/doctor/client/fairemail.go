package client

import (
	"context"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// FairEmail, as its shop and GitHub builds are, gathers candidates and tries them by their score
// until somebody can sign in to both servers (EmailProvider.java and FragmentQuickSetup.java at
// e23dd9d). The build of F-Droid asks for no documents but those of the database of providers
// (src/dummy/…/Misc.java).
func init() {
	register(Client{ID: "fairemail", Name: "FairEmail", Version: "1.2331", Certainty: ByCode, Forecast: fairEmail})
}

const fairEmailLimit = 10 * time.Second // SCAN_TIMEOUT, ISPDB_TIMEOUT, MS_TIMEOUT

// How it fetches: HttpURLConnection follows redirects, but not between http and https. Host names in
// certificates are not compared at the domain's own URLs.
var (
	fairEmailFetching = Fetching{Limit: fairEmailLimit, Hops: 20, SameScheme: true,
		Accepts: []probe.Problem{probe.WrongName}}
	fairEmailDatabase = Fetching{Limit: fairEmailLimit, Hops: 20, SameScheme: true}
)

// fairEmailTesting: a bad certificate is shown with its fingerprint, and can be accepted.
var fairEmailTesting = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true, Trying: Trying{Asks: true}}

// fairEmailCandidate is a pair of servers. It has a score: 50 for each from DNS, 20 for each from a
// document, 10 to 12 from a scan, 0 for an MX host, and 100 for a literal user name.
type fairEmailCandidate struct {
	incoming, outgoing Server
	score              int
	source             string
	page               *Page // nil if it comes from elsewhere
}

func fairEmail(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	if p, ok := ProviderOf(domain, nil); ok {
		return p.builtIn("FairEmail has a profile of the provider")
	}
	f := fairEmailSearch{Search: s}
	f.expect(ctx, domain)
	f.gather(ctx, domain)
	if f.unknown != "" {
		return cannotTell(f.unknown)
	}
	if best, ok := f.firstWorking(ctx); ok {
		return f.finish(ctx, best)
	}
	return f.last(ctx, domain)
}

type fairEmailSearch struct {
	*Search
	candidates []fairEmailCandidate
	took       time.Duration
	unknown    probe.Key
}

func (f *fairEmailSearch) expect(ctx context.Context, domain string) {
	f.expectServices(ctx, domain, imapService, imapsService, submissionService, submissionsService)
	for _, q := range fairEmailQuestions(f.Search, domain) {
		f.Expect(ctx, q)
	}
	f.Expect(ctx, ISPDB(ISPDBThunderbird, domain), DNS("MX", domain))
	for _, url := range fairEmailAutodiscoverURLs(domain) {
		f.Expect(ctx, Autodiscover(url, f.AddressFor(url)))
	}
}

// gather asks for all candidates of a domain: DNS, a document, Autodiscover. All are asked even
// if the first is there.
func (f *fairEmailSearch) gather(ctx context.Context, domain string) {
	f.bySRV(ctx, domain)
	f.byDocument(ctx, domain)
	f.byAutodiscover(ctx, domain)
	slices.SortStableFunc(f.candidates, func(a, b fairEmailCandidate) int { return b.score - a.score })
}

// bySRV takes the records of both services together. Without one for sending, those for receiving
// do not count either.
func (f *fairEmailSearch) bySRV(ctx context.Context, domain string) {
	var pair [2]Server
	for i, services := range [][2]string{{imapService, imapsService}, {submissionService, submissionsService}} {
		records, known := f.lookupServices(ctx, domain, services[0], services[1])
		if !known {
			f.unknown = ServiceQuestion(services[0], domain).Key()
			return
		}
		record, ok := fairEmailFirst(records)
		if !ok {
			f.Note(ServiceQuestion(services[0], domain).Key(), Passed, "no record")
			return
		}
		pair[i] = record.server("")
		// STARTTLS only on the port that is usual for it; with another port the first byte is TLS.
		if usual := [2]int{143, 587}[i]; pair[i].SocketType == account.STARTTLS && record.Port != usual {
			pair[i].SocketType = account.SSL
		}
	}
	f.candidates = append(f.candidates,
		fairEmailCandidate{incoming: pair[0], outgoing: pair[1], score: 100, source: SRVSource})
}

// fairEmailFirst prefers the lowest priority number, then the highest weight, then _imaps before
// _imap, but _submission before _submissions.
func fairEmailFirst(records []serviceRecord) (serviceRecord, bool) {
	ordered := slices.Clone(records)
	rank := map[string]int{imapsService: 0, submissionService: 0, imapService: 1, submissionsService: 1}
	slices.SortStableFunc(ordered, func(a, b serviceRecord) int { return rank[a.service] - rank[b.service] })
	return firstByPriority(ordered)
}

func fairEmailQuestions(s *Search, domain string) []probe.WebQuestion {
	atAutoconfig, atDomain := s.AddressFor("https://autoconfig."+domain+"/"), s.AddressFor("https://"+domain+"/")
	return []probe.WebQuestion{
		AutoconfigFor("https", domain, atAutoconfig), WellKnownFor("https", domain, atDomain),
		AutoconfigFor("http", domain, atAutoconfig), WellKnownFor("http", domain, atDomain),
	}
}

func (f *fairEmailSearch) byDocument(ctx context.Context, domain string) {
	var found fairEmailCandidate
	take := func(page Page) string {
		if page.Failure != nil || page.Status != 200 {
			return page.Says()
		}
		var ok bool
		if found, ok = fairEmailDocument(document.ReadXML(page.Body), f.Address); !ok {
			return page.Says() + ", no IMAP and SMTP servers that it can read"
		}
		return ""
	}
	w := f.firstPage(ctx, fairEmailFetching, take, fairEmailQuestions(f.Search, domain)...)
	f.took += w.duration
	if !w.taken && w.unknown == "" {
		w = f.firstPage(ctx, fairEmailDatabase, take, ISPDB(ISPDBThunderbird, domain))
		f.took += w.duration
	}
	f.add(w, found)
}

// add adds what a walk found.
func (f *fairEmailSearch) add(w walk, found fairEmailCandidate) {
	if w.unknown != "" {
		f.unknown = w.unknown
	}
	if w.taken {
		found.source, found.page = w.URL(), &w.Page
		f.candidates = append(f.candidates, found)
	}
}

func fairEmailAutodiscoverURLs(domain string) []string {
	return []string{AutodiscoverURL("https", domain), AutodiscoverURL("https", "autodiscover."+domain)}
}

func (f *fairEmailSearch) byAutodiscover(ctx context.Context, domain string) {
	var questions []probe.WebQuestion
	for _, url := range fairEmailAutodiscoverURLs(domain) {
		questions = append(questions, Autodiscover(url, f.AddressFor(url)))
	}
	var found fairEmailCandidate
	w := f.firstPage(ctx, fairEmailFetching, func(page Page) string {
		if page.Failure != nil || page.Status != 200 {
			return page.Says()
		}
		var ok bool
		if found, ok = fairEmailPOX(document.ReadXML(page.Body)); !ok {
			return page.Says() + ", no IMAP and SMTP servers"
		}
		return ""
	}, questions...)
	f.took += w.duration
	f.add(w, found)
}

// firstWorking tries the candidates in order, and notes why those before do not work.
func (f *fairEmailSearch) firstWorking(ctx context.Context) (fairEmailCandidate, bool) {
	for _, c := range f.candidates {
		in := f.Try(ctx, c.incoming, fairEmailTesting.Trying)
		out := f.Try(ctx, c.outgoing, fairEmailTesting.Trying)
		if !in.Known || !out.Known || in.Works && out.Works {
			return c, true
		}
	}
	return fairEmailCandidate{}, false
}

func (f *fairEmailSearch) finish(ctx context.Context, c fairEmailCandidate) Forecast {
	for i := range f.candidates {
		if page := f.candidates[i].page; page != nil && page.Key() != keyOf(c.page) {
			f.NotePage(*page, Passed, "another candidate has a higher score")
		}
	}
	if c.page != nil {
		f.NotePage(*c.page, Took, "")
	}
	for _, server := range []*Server{&c.incoming, &c.outgoing} {
		if server.Username == "" {
			server.Username = f.Address.String()
		}
	}
	forecast := Forecast{Source: c.source, Took: f.took}
	if c.page != nil && !strings.HasPrefix(c.source, ISPDBThunderbird) {
		forecast.Person = "The build of F-Droid asks for no documents of the domain: " +
			"without SRV records it scans ports."
	}
	return f.Finish(ctx, forecast, []Server{c.incoming}, []Server{c.outgoing}, fairEmailTesting)
}

func keyOf(page *Page) probe.Key {
	if page == nil {
		return ""
	}
	return page.Key()
}

// last scans the domain's usual host names, and then goes by the MX host: its own documents if there
// are no candidates at all, and its ports.
func (f *fairEmailSearch) last(ctx context.Context, domain string) Forecast {
	failed := slices.Clone(f.candidates)
	f.scan(ctx, domain)
	hosts, known := f.MX(ctx, domain)
	if !known {
		return cannotTell(DNS("MX", domain).Key())
	}
	if len(hosts) > 0 {
		for name := hosts[0]; len(f.candidates) == 0 && f.unknown == "" && strings.Contains(name, "."); {
			f.gather(ctx, name)
			f.scan(ctx, name)
			if _, name, _ = strings.Cut(name, "."); isPublicSuffix(name) {
				break
			}
		}
		mx := Server{Type: account.IMAP, Hostname: hosts[0], Port: 993, SocketType: account.SSL}
		for _, port := range []Port{{587, account.STARTTLS}, {465, account.SSL}} {
			f.candidates = append(f.candidates, fairEmailCandidate{incoming: mx, source: "guess",
				outgoing: Server{Type: account.SMTP, Hostname: hosts[0], Port: port.Number,
					SocketType: port.SocketType}})
		}
	}
	if f.unknown != "" {
		return cannotTell(f.unknown)
	}
	if best, ok := f.firstWorking(ctx); ok {
		return f.finish(ctx, best)
	}
	if len(failed) > 0 {
		return f.finish(ctx, failed[0]) // which says why the preferred candidate does not work
	}
	nothing := Forecast{Outcome: Fails, But: "no settings found", Took: f.took}
	nothing.Person = "No settings found for domain " + domain
	return nothing
}
