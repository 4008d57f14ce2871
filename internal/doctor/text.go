package doctor

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/show"
)

// Layout says how a report is printed.
type Layout struct {
	Width   int  // columns of the terminal; 0 for 100
	Verbose bool // everything: what people see, the mail servers, the requests
	Exit    int  // the exit status, which the last line tells; negative for no such line
}

// WriteText writes the report for the people of a support desk: a verdict, findings with the
// worst first, what each client does, and what to type.
func (r *Report) WriteText(to io.Writer, l Layout) error {
	w := &page{width: cmp.Or(l.Width, 100)}
	w.width = max(w.width, 60)
	r.writeVerdict(w)
	for i, f := range r.Findings {
		w.line("")
		r.writeFinding(w, l, i+1, f)
	}
	w.line("")
	r.writeClients(w)
	r.writeType(w)
	r.writeOwn(w, l.Verbose)
	if l.Verbose {
		r.writeShown(w)
		r.writeHosts(w)
		r.writeRequests(w)
	}
	r.writeNotAsked(w)
	if l.Exit >= 0 {
		w.line(fmt.Sprintf("exit %d", l.Exit))
	}
	_, err := w.WriteTo(to)
	return err
}

// Name returns whom the report is about.
func (r *Report) Name() string { return cmp.Or(r.Address, r.Domain) }

// Name returns whom a report about an address is about: a domain for the result of AtDomain.
func Name(a account.Address) string {
	if a.Local() == standIn {
		return a.Domain()
	}
	return a.String()
}

// Line returns the report in one line. failed marks it as one that somebody should look at.
func (r *Report) Line(failed bool) string {
	mark := "ok   "
	if failed {
		mark = "FAULT"
		if !r.Complete && len(r.Findings) == 0 {
			mark = "?    "
		}
	}
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.ID)
	}
	return printable(fmt.Sprintf("%s %s: %s", mark, r.Name(), r.Verdict()) + after(" ", bracketed(ids)))
}

func bracketed(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "[" + strings.Join(words, " ") + "]"
}

func (r *Report) writeVerdict(w *page) {
	w.paragraph("", r.Name()+": "+r.Verdict())
	how := fmt.Sprintf("%.1f s", r.Seconds)
	if r.Seconds >= 10 {
		how = fmt.Sprintf("%.0f s", r.Seconds)
	}
	if r.Resolver != "" {
		how += ", resolver " + r.Resolver
	}
	where := "mail is at no provider that DNS names"
	switch {
	case r.Provider == nil && !r.Complete:
		where = "where the mail is could not be found out"
	case r.Provider != nil:
		where = fmt.Sprintf("mail is at %s (%s)", r.Provider.Guess, r.Provider.Evidence)
	}
	if r.Own != nil {
		where += "; " + r.Own.summary()
	}
	w.paragraph("", where+"; "+how)
	if r.Address == "" {
		w.paragraph("", "no mailbox was named: servers were asked about "+standIn+"@"+r.Domain+", which need not exist")
	}
}

// The most that a finding shows without Verbose.
const (
	maxHits = 6
	maxSeen = 3
)

func (r *Report) writeFinding(w *page, l Layout, number int, f Finding) {
	indent := strings.Repeat(" ", 5)
	w.paragraphs(fmt.Sprintf("%d %s %-3s  ", number, strings.ToUpper(string(f.Severity)), f.ID), indent, f.Sentence)
	hits, seen := r.titles(f.Clients), f.seen(l.Verbose)
	if more := len(hits) - maxHits; more > 1 && !l.Verbose {
		hits = append(hits[:maxHits:maxHits], fmt.Sprintf("%d more", more))
	}
	if len(hits) > 0 {
		w.paragraph(indent+"hits   ", strings.Join(hits, "; "))
	}
	if more := len(seen) - maxSeen; more > 1 && !l.Verbose {
		seen = append(seen[:maxSeen:maxSeen], fmt.Sprintf("and %d more, with -v", more))
	}
	for i, text := range seen {
		label := "seen   "
		if i > 0 {
			label = "       "
		}
		w.paragraph(indent+label, text)
	}
	for i, c := range f.Cures {
		label := "cure   "
		if i > 0 {
			label = "       "
		}
		w.paragraph(indent+label, c.Who+": "+c.Text)
		for _, line := range c.Remove {
			w.record(indent+"         remove  ", line)
		}
		for _, line := range c.Put {
			w.record(indent+"         put     ", line)
		}
	}
	for _, u := range f.Uncovers {
		w.paragraph(indent+"then   ", u)
	}
}

// seen returns the evidence, a line each. Queries of URLs are left out unless verbose is set,
// and what is then the same is told once.
func (f Finding) seen(verbose bool) (lines []string) {
	for _, e := range f.Evidence {
		if !verbose {
			e.Target = withoutQuery(e.Target)
		}
		if text := e.text(); !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
	}
	return lines
}

// text returns the evidence in one line. A port says which protocol was spoken.
func (e Evidence) text() string {
	text := e.Target
	if strings.ToUpper(e.Probe) == e.Probe { // a request to a web server
		text = e.Probe + " " + text
	}
	if e.Address != "" {
		text += " [" + e.Address + "]"
	}
	return text + ": " + e.Result
}

// withoutQuery returns a URL, with what follows it, without its query.
func withoutQuery(text string) string {
	begin := strings.IndexByte(text, '?')
	if begin < 0 {
		return text
	}
	rest := text[begin:]
	if end := strings.IndexByte(rest, ' '); end >= 0 {
		return text[:begin] + rest[end:]
	}
	return text[:begin]
}

// outcome returns what a client's person ends up with, in the words of reports.
func (c Client) outcome() string {
	switch c.Outcome {
	case outcomeWords[client.SetsUp]:
		return string(client.SetsUp)
	case outcomeWords[client.SetsUpBut]:
		return "sets itself up, but " + cmp.Or(c.But, "not fully")
	case outcomeWords[client.Asks]:
		return "asks for " + cmp.Or(c.But, "the servers")
	case outcomeWords[client.Elsewhere]:
		return "goes elsewhere" + after(": ", c.But)
	case outcomeWords[client.Fails]:
		return "fails" + after(": ", c.But)
	}
	return string(client.Unknown) + after(": ", c.But)
}

func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

func (r *Report) writeType(w *page) {
	if r.Type == nil {
		return
	}
	var parts []string
	for _, s := range r.Type.Servers {
		parts = append(parts, place(s))
	}
	text := strings.Join(parts, ", ") + ", user name " + r.Type.Servers[0].Username
	for _, s := range r.Type.Servers[1:] {
		if s.Username != r.Type.Servers[0].Username {
			text += fmt.Sprintf(" (%s: %s)", s.Type, s.Username)
		}
	}
	w.paragraph("what to type: ", text+" (announced by "+r.Type.Source+"; not tried)")
}

func place(s show.Server) string {
	if s.URL != "" {
		return s.Type + " " + s.URL
	}
	return fmt.Sprintf("%s %d %s", s.Hostname, s.Port, s.SocketType)
}

func (r *Report) writeNotAsked(w *page) {
	if len(r.NotAsked) == 0 {
		return
	}
	var parts []string
	const most = 4
	for i, n := range r.NotAsked {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(r.NotAsked)-most))
			break
		}
		parts = append(parts, n.What+" ("+n.Why+")")
	}
	w.paragraph("not asked: ", strings.Join(parts, "; "))
}

func (r *Report) writeHosts(w *page) {
	if len(r.Hosts) == 0 {
		return
	}
	w.line("")
	w.line("mail servers")
	for _, h := range r.Hosts {
		w.paragraph("  ", h.text())
	}
}

func (h Host) text() string {
	text := fmt.Sprintf("%s %s %d %s", h.Type, h.Hostname, h.Port, h.SocketType)
	if h.Address != "" {
		text += " at " + h.Address
	}
	text += ": " + h.TCP
	if h.GreetingMS > 0 {
		text += fmt.Sprintf(", greeting after %d ms", h.GreetingMS)
	}
	if h.TLS != nil {
		text += ", " + h.TLS.Version
	}
	if capabilities := cmp.Or(strings.Join(h.After, " "), strings.Join(h.Before, " ")); capabilities != "" {
		text += ": " + capabilities
	}
	if h.Failure != "" {
		text += "; " + h.Failure
	}
	return text
}

func (r *Report) writeRequests(w *page) {
	w.line("")
	w.line(fmt.Sprintf("requests (%d): begun, time taken", len(r.Requests)))
	for _, q := range r.Requests {
		at := ""
		if q.Address != "" {
			at = " [" + q.Address + "]"
		}
		w.line(fmt.Sprintf("%6.2f s %6.2f s  ", float64(q.BegunMS)/1000, float64(q.MS)/1000) + q.Key + at +
			": " + q.Result)
	}
	w.line("")
}

// page collects lines of at most width columns.
type page struct {
	bytes.Buffer
	width int
}
