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
	"signpost/internal/show"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// view is what the page shows. The template sees nothing but the types of this file.
type view struct {
	Style   string
	Form    form
	Choices []choice
	Wrong   string // about the address in the form
	Problem string // instead of a diagnosis

	Running           bool
	Domain            string
	Phase             string
	Done, Of, Answers int

	Report *reportView // nil while it runs
	report *doctor.Report
}

// reportView is a diagnosis.
type reportView struct {
	Name, Domain, Verdict, Where string
	NotAsked                     []string
	Findings                     []findingView
	Clients                      []clientView
	Own                          string
	Places                       []string
	Announced                    string // by whom Type is announced
	Type, Servers, Questions     []string
	Ticket                       string
}

// findingView is a finding with its place in the list.
type findingView struct {
	Number                       int
	ID, Severity, Sentence, Hits string
	Cures                        []cureView
	Seen, Uncovers               []string
}

// cureView is what somebody can do. Remove and Put are lines of a zone file.
type cureView struct{ Who, Text, Remove, Put string }

// clientView is a client, or several that do the same, and the numbers of the findings that they suffer from.
type clientView struct {
	ID, Title, Known, Ends, Person, Source string
	Servers                                []string
	Numbers                                []int
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
	v.Domain, v.Running = r.request.Address.Domain(), !r.ended
	v.Phase, v.Done, v.Of, v.Answers = r.progress.Phase, r.progress.Done, r.progress.Of, r.progress.Requests
	switch {
	case r.report != nil:
		v.report, v.Report = r.report, viewReport(r.report)
		if r.report.Address == "" {
			v.Form.Address = r.report.Domain
		}
	case r.ended:
		v.Problem = "The diagnosis ended without a result. Start it again."
	}
	return v
}

func viewReport(r *doctor.Report) *reportView {
	v := &reportView{Name: r.Name(), Domain: r.Domain, Verdict: r.Verdict(), Where: where(r)}
	for _, n := range r.NotAsked {
		v.NotAsked = append(v.NotAsked, n.What+": "+n.Why)
	}
	for i, f := range r.Findings {
		v.Findings = append(v.Findings, viewFinding(r, i+1, f))
	}
	for _, group := range r.Groups() {
		v.Clients = append(v.Clients, viewClients(r, group))
	}
	if r.Own != nil {
		v.Own, v.Places = r.Own.String(), r.Own.Lines()
	}
	if r.Type != nil {
		v.Announced, v.Type = r.Type.Source, texts(r.Type.Servers, serverText)
	}
	v.Servers = texts(r.Hosts, doctor.Host.String)
	v.Questions = texts(r.Requests, func(q doctor.Request) string {
		return fmt.Sprintf("%s: %s (%d ms)", q.Key, q.Result,
			q.MS)
	})
	var ticket bytes.Buffer
	r.Redacted().WriteText(&ticket, doctor.Layout{Width: 80, Exit: -1})
	v.Ticket = ticket.String()
	return v
}

func viewFinding(r *doctor.Report, number int, f doctor.Finding) findingView {
	v := findingView{Number: number, ID: f.ID, Severity: string(f.Severity), Sentence: f.Sentence,
		Hits: strings.Join(r.Titles(f.Clients), ", "), Seen: f.Seen(), Uncovers: f.Uncovers}
	for _, c := range f.Cures {
		v.Cures = append(v.Cures, cureView{c.Who, c.Text, strings.Join(c.Remove, "\n"), strings.Join(c.Put, "\n")})
	}
	return v
}

func viewClients(r *doctor.Report, group []doctor.Client) clientView {
	c := group[0]
	v := clientView{ID: c.Client, Title: r.Title(group), Known: known[c.Certainty], Ends: c.Ends(), Person: c.Person,
		Source:  c.Source,
		Servers: texts(c.Servers, serverText)}
	for i, f := range r.Findings {
		if slices.Contains(c.Findings, f.ID) {
			v.Numbers = append(v.Numbers, i+1)
		}
	}
	return v
}

// serverText returns a server as a person types it.
func serverText(s show.Server) string {
	text := s.Type + " " + doctor.ServerPlace(s)
	if s.Username != "" {
		text += ", user name " + s.Username
	}
	return text
}

// where says who seems to have the mail, how long the diagnosis took, and whom it asked.
func where(r *doctor.Report) string {
	var text string
	if r.Provider != nil {
		text = fmt.Sprintf("Mail is at %s (%s). ", r.Provider.Guess, r.Provider.Evidence)
	}
	text += fmt.Sprintf("%.1f s", r.Seconds)
	if r.Resolver != "" {
		text += ", DNS by " + r.Resolver
	}
	return text + "."
}

func texts[T any](list []T, text func(T) string) []string {
	var all []string
	for _, element := range list {
		all = append(all, text(element))
	}
	return all
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
		return v.Domain + ": " + v.Report.Verdict
	case v.Running:
		return "Diagnosing " + v.Domain
	case v.Wrong != "" || v.Problem != "":
		return "Not diagnosed"
	}
	return "Diagnose an address"
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
	case v.report != nil:
		return v.report
	case v.Running:
		return progress{true, v.Phase, v.Done, v.Of, v.Answers}
	case v.Wrong != "":
		return problem{v.Wrong}
	case v.Problem != "":
		return problem{v.Problem}
	}
	return problem{"POST address=… starts a diagnosis; client and family are optional"}
}
