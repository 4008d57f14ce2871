package doctor

import "signpost/internal/show"

// Ends returns what a client's person ends up with, in the words of reports.
func (c Client) Ends() string { return c.outcome() }

// Titles returns the names of clients by their IDs, "every client" for all.
func (r *Report) Titles(ids []string) []string { return r.titles(ids) }

// String describes what was seen.
func (e Evidence) String() string { return e.text() }

// String describes a connection to a mail server.
func (h Host) String() string { return h.text() }

// ServerPlace returns where a server is, as a person types it.
func ServerPlace(s show.Server) string { return place(s) }
