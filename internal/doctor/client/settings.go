package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// This file has what several clients make of a document, or of what they do not find.

// sections returns the sections of an autoconfig document that have a name and a type, in
// order: those directly in the first emailProvider.
func sections(root *document.Element, name, serverType string) []*document.Element {
	var found []*document.Element
	for _, section := range root.Child("emailProvider").All(name) {
		if t, _ := section.Attribute("type"); t == serverType {
			found = append(found, section)
		}
	}
	return found
}

// cannotTell is the forecast if a question could not be asked on whose answer it depends.
func cannotTell(key probe.Key) Forecast {
	return Forecast{Outcome: Unknown, But: fmt.Sprintf("%s could not be asked", inWords(key))}
}

// inWords returns a question for people: a web request without what follows its path.
func inWords(key probe.Key) string {
	words := strings.Fields(string(key))
	if len(words) > 1 && strings.Contains(words[1], "://") {
		return words[0] + " " + withoutQuery(words[1])
	}
	return string(key)
}

// asksForServers is the forecast of a client that found nothing and shows an empty form.
func asksForServers(person string) Forecast {
	return Forecast{Outcome: Asks, But: "the servers", Person: person}
}

// SRVSource is the source of settings that come from SRV records.
const SRVSource = "DNS SRV"

// walk is a search through pages one after the other.
type walk struct {
	Page               // the page that was taken, or else the last one
	taken    bool      // the page was taken
	unknown  probe.Key // what could not be asked, so that nobody knows what comes next
	duration time.Duration
}

// firstPage fetches pages one after the other until take takes one: it returns why it does not, or
// "". Those that it does not take are noted.
func (s *Search) firstPage(ctx context.Context, rules Fetching, take func(Page) string,
	questions ...probe.WebQuestion,
) walk {
	var w walk
	for _, q := range questions {
		w.Page = s.Fetch(ctx, q, rules)
		w.duration += w.Page.Took
		if !w.Failure.Known() {
			w.unknown = w.Key()
			return w
		}
		why := take(w.Page)
		if why == "" {
			w.taken = true
			return w
		}
		s.NotePage(w.Page, failed(w.Page), why)
	}
	return w
}

// connected reports whether a TCP connection was made, whatever came of it.
func connected(t Try) bool {
	a := t.Answer
	return a.Connected > 0 || a.Greeting != "" || a.TLS != nil
}
