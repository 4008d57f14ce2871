package doctor

import (
	"reflect"
	"slices"

	"signpost/internal/show"
)

// Ends returns what a client's person ends up with, in the words of reports.
func (c Client) Ends() string { return c.outcome() }

// Groups returns the clients in the order of reports, versions of one client that do the same together.
func (r *Report) Groups() [][]Client {
	return versions(r.Clients, func(a, b Client) bool {
		return a.outcome() == b.outcome() && a.Source == b.Source && a.Person == b.Person &&
			slices.Equal(a.Findings, b.Findings) && reflect.DeepEqual(a.Servers, b.Servers)
	})
}

// Title returns the name of a group of clients, with the versions if the report has others.
func (r *Report) Title(group []Client) string { return r.title(group) }

// Titles returns the names of clients by their IDs, "every client" for all.
func (r *Report) Titles(ids []string) []string { return r.titles(ids) }

// Seen returns the evidence, a line each, without the queries of URLs.
func (f Finding) Seen() []string { return f.seen(false) }

// String describes a connection to a mail server.
func (h Host) String() string { return h.text() }

// String says in a few words whether this service answers for the domain.
func (v *OwnView) String() string { return v.summary() }

// Lines says what the world gets at each place.
func (v *OwnView) Lines() []string { return v.lines(true) }

// ServerPlace returns where a server is, as a person types it.
func ServerPlace(s show.Server) string { return place(s) }
