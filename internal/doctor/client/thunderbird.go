package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// The rules of Thunderbird are those of mail/components/accountcreation/modules, which is
// modules/accountcreation in Debian's omni.ja. The file is named where a rule stands.

func init() {
	esr := thunderbird{version: "153", guessesLocalPart: true, followsRedirectAddr: true}
	next := thunderbird{version: "156"}
	register(Client{ID: "thunderbird", Name: "Thunderbird", Version: esr.version, Certainty: ByCode,
		Forecast: esr.forecast})
	register(Client{ID: "thunderbird-156", Name: "Thunderbird", Version: next.version, Certainty: ByCode,
		Forecast: next.forecast})
}

// thunderbird is a version of Thunderbird for the desktop. 153 is 153.7 ESR, 156 is 156.0a1.
type thunderbird struct {
	version string
	// guessesLocalPart: the user name of guessed servers is the local part, and the whole address
	// if that is refused. 156 begins with the whole address (email.mjs, #findConfig).
	guessesLocalPart bool
	// followsRedirectAddr: an answer of Autodiscover may lead to another address. 156 passes the
	// arguments of the second search in the wrong order, so that it fails (ExchangeAutoDiscover.sys.mjs).
	followsRedirectAddr bool
}

// thunderbirdFetching: 5 s for a URL with all its redirects (FetchHTTP.sys.mjs); Gecko follows 20.
// A redirect in a circle was seen to take all of the time. There is no way to accept a bad
// certificate in the search.
var thunderbirdFetching = Fetching{Limit: 5 * time.Second, WholeLimit: true, Hops: 20, WaitsInLoops: true}

// thunderbirdTesting: once the password is typed, the wizard signs in to the incoming server and
// shows its bad certificate (ConfigVerifier.sys.mjs). The outgoing server is used with the first
// message only.
var thunderbirdTesting = Testing{Incoming: true, Trying: Trying{Asks: true}, Later: true}

// found is what one way of the search came to.
type found struct {
	config *thunderbirdConfig // nil if nothing was found
	source string             // a URL without a query, "guess"
	where  string             // Thunderbird's words for the source
	took   time.Duration
	page   *Page // the document, if it comes from one
	// unknown is what could not be asked, if the result could be another with it.
	unknown string
}

// forecast searches for autoconfig and Autodiscover at the same time, and waits for both. The
// former wins; if neither has anything, it guesses (FindConfig.sys.mjs, email.mjs).
func (t thunderbird) forecast(ctx context.Context, s *Search) Forecast {
	var exchange exchangeFound
	done := make(chan struct{})
	go func() {
		defer close(done)
		exchange = t.autodiscover(ctx, s)
	}()
	best := t.autoconfig(ctx, s)
	<-done
	took := max(best.took, exchange.took)
	if best.config == nil && best.unknown == "" {
		if exchange.wantsPassword() {
			return Forecast{Outcome: Asks, But: "the password of a Microsoft Exchange account, and guesses nothing",
				Took:   took,
				Person: "Authentication failed. Please check the username and password"}
		}
		best = exchange.found
		if best.config == nil && best.unknown == "" {
			best = t.guess(ctx, s, s.Address.Domain(), nil)
			took += best.took
		}
	}
	f := t.end(ctx, s, best, took)
	if exchange.asks != "" {
		f = interrupted(f, exchange)
	}
	return f
}

// end says how the set-up ends with what was found.
func (t thunderbird) end(ctx context.Context, s *Search, best found, took time.Duration) Forecast {
	f := Forecast{Source: best.source, Took: took}
	switch {
	case best.unknown != "":
		f.Outcome, f.But = Unknown, best.unknown+" could not be asked"
		return f
	case best.config == nil:
		f.Outcome, f.But, f.Person = Asks, "the servers",
			"Thunderbird failed to find the settings for your email account."
		return f
	}
	f.Person = "Account settings found automatically. Configuration found " + best.where + "."
	best.config.replaceVariables(s.Address)
	in, out := best.config.incoming, best.config.outgoing
	if in.Type == exchangeType {
		f.Outcome, f.But = SetsUpBut, "as Microsoft Exchange"
		f.Servers = []Server{{Type: account.EWS, URL: in.URL, Username: in.Username}}
		return f
	}
	var sending []Server
	if out.Hostname != "" {
		sending = []Server{out}
	}
	f = s.Finish(ctx, f, []Server{in}, sending, thunderbirdTesting)
	if best.page != nil && slices.Contains(notNames, in.Username) && (f.Outcome == SetsUp || f.Outcome == SetsUpBut) {
		// With a document it tries no other user name (email.mjs, ConfigVerifier.sys.mjs).
		s.NotePage(*best.page, Spoilt, "no user name that is a text: it signs in as “"+in.Username+"”")
		f.Outcome, f.But = Fails, "signs in as “"+in.Username+"”"
	}
	if out.Hostname == "" && f.Outcome == SetsUp {
		f.Outcome, f.But = SetsUpBut, "has no server for sending"
	}
	if f.Outcome == Fails {
		f.Person = "Unable to log in at server. Probably wrong configuration, username or password."
	}
	return f
}

// notNames are what Thunderbird makes of user names that are empty, missing, spaces or have an
// attribute.
var notNames = []string{"true", "undefined", "NaN", "[object Object]"}

// interrupted says that the person is asked in the middle of the search. While she does not
// answer, it stands still.
func interrupted(f Forecast, e exchangeFound) Forecast {
	after := string(f.Outcome)
	if f.But != "" {
		after = strings.TrimSuffix(after, " …") + " " + f.But
		after = strings.Replace(after, "but cannot", "but then cannot", 1)
	}
	f.Outcome = Asks
	if e.signIn {
		f.But = "a Microsoft sign-in; cancelled, it " + after
		f.Person = "a sign-in page of Microsoft in the middle of the search"
		return f
	}
	f.But = fmt.Sprintf("leave to send the password to %s; refused, it %s", e.asks, after)
	f.Person = fmt.Sprintf("Thunderbird found your account setup information on %s. Do you want to proceed and submit"+
		" your credentials?", e.asks)
	return f
}

// autoconfig takes the first of the provider, Mozilla's database and the provider of the MX
// that has a document (FindConfig.sys.mjs). All are asked at once.
func (t thunderbird) autoconfig(ctx context.Context, s *Search) found {
	domain := s.Address.Domain()
	urls := []probe.WebQuestion{
		AutoconfigFor("https", domain, s.Address),
		WellKnownFor("https", domain, s.Address),
		AutoconfigFor("http", domain, s.Address),
		WellKnownFor("http", domain, s.Address),
	}
	database := ISPDB(ISPDBLive, domain)
	for _, q := range urls {
		s.Expect(ctx, q)
	}
	s.Expect(ctx, database, DNS("MX", domain))
	return firstOf(
		func() found { return fromISP(ctx, s, urls...) },
		func() found { return fromDatabase(ctx, s, database) },
		func() found { return fromMX(ctx, s, domain) },
	)
}

// firstOf returns the first way that found something. They run at the same time, so the wait
// is that of the slowest before it.
func firstOf(ways ...func() found) found {
	var took time.Duration
	for _, way := range ways {
		f := way()
		took = max(took, f.took)
		if f.config != nil || f.unknown != "" {
			f.took = took
			return f
		}
	}
	return found{took: took}
}

// fromISP takes the first URL with a 2xx answer, and reads that one only: if there is no
// document in it, those at the other URLs are lost (FetchConfig.sys.mjs, _fetchConfigFromIsp).
func fromISP(ctx context.Context, s *Search, urls ...probe.WebQuestion) found {
	return readFirst(ctx, s, thunderbirdFetching, "at email provider", urls)
}

// fromDatabase asks Mozilla's database, which has 10 s.
func fromDatabase(ctx context.Context, s *Search, q probe.WebQuestion) found {
	patient := thunderbirdFetching
	patient.Limit = 10 * time.Second
	return readFirst(ctx, s, patient, "in Mozilla ISPDB", []probe.WebQuestion{q})
}

func readFirst(ctx context.Context, s *Search, rules Fetching, where string, urls []probe.WebQuestion) found {
	var took time.Duration
	for i, q := range urls {
		page := s.Fetch(ctx, q, rules)
		took = max(took, page.Took)
		if !page.Failure.Known() {
			s.NotePage(page, Passed, page.Says())
			return found{took: took, unknown: page.URL()}
		}
		if why := noResult(page); why != "" {
			s.NotePage(page, failed(page), why)
			continue
		}
		config, why := readConfig(page)
		if why != "" {
			verdict := Passed
			if i < len(urls)-1 {
				verdict = Stopped
			}
			s.NotePage(page, verdict, page.Says()+": "+why)
			return found{took: took}
		}
		s.NotePage(page, Took, "")
		return found{config: config, source: page.URL(), where: where, took: took, page: &page}
	}
	return found{took: took}
}

// fromMX asks the provider of the most preferred MX: by the host's name without its first
// label, then by its registrable domain; https only, and no .well-known (FetchConfig.sys.mjs).
func fromMX(ctx context.Context, s *Search, domain string) found {
	q := DNS("MX", domain)
	answer := s.Asker.DNS(ctx, q)
	hosts := exchangers(answer)
	switch {
	case !answer.Failure.Known():
		return found{took: answer.Took, unknown: "the MX of " + domain}
	case len(hosts) == 0:
		s.Note(q.Key(), Passed, "no MX")
		return found{took: answer.Took}
	}
	base := registrable(hosts[0])
	if base == domain {
		return found{took: answer.Took}
	}
	_, parent, _ := strings.Cut(hosts[0], ".")
	domains := []string{base}
	if parent != base && strings.Contains(parent, ".") {
		domains = []string{parent, base}
	}
	var ways []func() found
	for _, d := range domains {
		isp, database := AutoconfigFor("https", d, s.AddressFor("https://autoconfig."+d+"/")), ISPDB(ISPDBLive, d)
		s.Expect(ctx, isp, database)
		ways = append(ways, func() found { return fromISP(ctx, s, isp) },
			func() found { return fromDatabase(ctx, s, database) })
	}
	f := firstOf(ways...)
	f.took += answer.Took
	if f.config != nil {
		s.Note(q.Key(), Took, "")
	}
	return f
}
