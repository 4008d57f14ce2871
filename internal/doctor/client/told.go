package client

import (
	"bytes"
	"context"

	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// toldActiveSync is the forecast of a client of which only its questions are known: those of
// phones for ActiveSync.
func toldActiveSync(ctx context.Context, s *Search, person string) Forecast {
	m := mobileSync{Search: s}
	found := m.find(ctx)
	f := Forecast{Outcome: Unknown, But: m.told(), Took: m.took, Person: person}
	if found {
		s.NotePage(m.page, Took, "")
		f.Source, f.Servers = m.page.URL(), []Server{m.server()}
	}
	return f
}

// toldByJSON adds what Autodiscover version 2 says on a host, for clients that ask there first.
func toldByJSON(ctx context.Context, s *Search, f Forecast) Forecast {
	q := jsonQuestion(s)
	page := s.Fetch(ctx, q, Fetching{Hops: 10})
	if !page.Failure.Known() {
		f.But = page.URL() + " could not be asked"
		return f
	}
	a, err := document.ReadAutodiscoverJSON(page.Body)
	if page.Failure != nil || page.Status != 200 || err != nil {
		if page.Status != 400 || !bytes.Contains(page.Body, []byte("ErrorCode")) { // which is the right way to say no
			s.noteNoExchange(page, page.Says())
		}
		return f
	}
	s.NotePage(page, Took, "")
	f.But = "ActiveSync is announced at " + hostOf(a.URL)
	f.Source = page.URL()
	return f
}

func jsonQuestion(s *Search) probe.WebQuestion {
	return AutodiscoverJSON("autodiscover."+s.Address.Domain(), s.Address, "ActiveSync")
}
