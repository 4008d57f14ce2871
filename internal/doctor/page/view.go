package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"signpost/internal/doctor"
	"signpost/internal/doctor/client"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"place": doctor.ServerPlace}).Parse(source))

// view is what the page shows.
type view struct {
	Style   string
	Form    form
	Choices []choice
	Wrong   string // about the address in the form
	Problem string // instead of a diagnosis

	Running  bool
	Domain   string
	Progress doctor.Progress

	Report   *doctor.Report // nil while it runs
	Findings []findingView
	Clients  []clientView
	Ticket   string
}

// findingView is a finding with its place in the list.
type findingView struct {
	doctor.Finding
	Number int
	Hits   string
}

// clientView is a client, and the numbers of the findings that it suffers from.
type clientView struct {
	doctor.Client
	Known   string
	Numbers []int
}

func newView(f form) *view { return &view{Form: f, Choices: f.choices()} }

// viewOf returns the view of a diagnosis.
func viewOf(r *run) *view {
	r.mu.Lock()
	defer r.mu.Unlock()
	// The form offers the same again.
	f := form{Address: r.request.Address.String(), Clients: r.request.Clients}
	if r.request.IPv4 != r.request.IPv6 {
		f.Family = map[bool]string{true: "4", false: "6"}[r.request.IPv4]
	}
	v := newView(f)
	v.Domain, v.Progress, v.Running = r.request.Address.Domain(), r.progress, !r.ended
	switch {
	case r.report != nil:
		v.setReport(r.report)
	case r.ended:
		v.Problem = "The diagnosis ended without a result. Start it again."
	}
	return v
}

func (v *view) setReport(r *doctor.Report) {
	v.Report = r
	if r.Address == "" {
		v.Form.Address = r.Domain
	}
	for i, f := range r.Findings {
		v.Findings = append(v.Findings, findingView{f, i + 1, strings.Join(r.Titles(f.Clients), ", ")})
	}
	for _, c := range r.Clients {
		cv := clientView{Client: c, Known: known[c.Certainty]}
		for i, f := range r.Findings {
			if slices.Contains(c.Findings, f.ID) {
				cv.Numbers = append(cv.Numbers, i+1)
			}
		}
		v.Clients = append(v.Clients, cv)
	}
	var ticket bytes.Buffer
	r.Redacted().WriteText(&ticket, doctor.Layout{Width: 80, Exit: -1})
	v.Ticket = ticket.String()
}

// known says what a forecast rests on.
var known = map[client.Certainty]string{
	client.ByCode:      "known from its code",
	client.ByDocuments: "known from documents and reports",
	client.ToldOnly:    "not known; this is what it is told",
}

// Title is the title of the page. It does not hold the address, as titles stay in the history of browsers.
func (v *view) Title() string {
	switch {
	case v.Report != nil:
		return v.Report.Domain + ": " + v.Report.Verdict()
	case v.Running:
		return "Diagnosing " + v.Domain
	case v.Wrong != "" || v.Problem != "":
		return "Not diagnosed"
	}
	return "Diagnose an address"
}

// Took says how long the diagnosis took and whom it asked.
func (v *view) Took() string {
	text := fmt.Sprintf("%.1f s", v.Report.Seconds)
	if v.Report.Resolver != "" {
		text += ", DNS by " + v.Report.Resolver
	}
	return text
}

// html returns the page.
func (v *view) html() []byte {
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		// The template is part of the program, and its test fills all of it.
		return []byte(http.StatusText(http.StatusInternalServerError))
	}
	return b.Bytes()
}

// progress is the JSON form of a diagnosis that runs.
type progress struct {
	Running  bool   `json:"running"`
	Phase    string `json:"phase"`
	Done     int    `json:"done"`
	Of       int    `json:"of"`
	Requests int    `json:"requests"`
}

// problem is the JSON form of what is not a diagnosis.
type problem struct {
	Problem string `json:"problem"`
}

// json returns what the JSON form of the page holds.
func (v *view) json() any {
	switch {
	case v.Report != nil:
		return v.Report
	case v.Running:
		return progress{true, v.Progress.Phase, v.Progress.Done, v.Progress.Of, v.Progress.Requests}
	case v.Wrong != "":
		return problem{v.Wrong}
	case v.Problem != "":
		return problem{v.Problem}
	}
	return problem{"POST address=… starts a diagnosis; client and family are optional"}
}
