package doctor

import (
	"slices"
	"strings"
)

// summary says in a few words whether this service answers for the domain.
func (v *OwnView) summary() string {
	switch {
	case v.NotKnown != "":
		return "whether this Signpost serves it cannot be known now: " + v.NotKnown
	case !v.Hosted:
		return "not served by this Signpost"
	}
	var at []string
	wrong := 0
	for _, p := range v.Places {
		if p.Answer == Ours && p.Address != "" && !slices.Contains(at, p.Address) {
			at = append(at, p.Address)
		}
		if p.Answer != Ours && p.Answer != Same {
			wrong++
		}
	}
	text := "served by this Signpost"
	if len(at) > 0 {
		text += ", which answers at " + strings.Join(at, " and ")
	}
	switch {
	case wrong > 0 && wrong == len(v.Places):
		return "hosted by this Signpost, but nobody gets what it would tell"
	case wrong > 0:
		return text + "; not everybody gets what it would tell"
	}
	return text
}

// writeOwn writes where the world gets something else than this service would tell, or all places.
func (r *Report) writeOwn(w *page, all bool) {
	if r.Own == nil {
		return
	}
	label := "this Signpost: "
	for _, text := range r.Own.lines(all) {
		w.paragraph(label, text)
		label = strings.Repeat(" ", len(label))
	}
}

// lines returns the places where the world gets something else than this service would tell, or
// all places, a line each.
func (v *OwnView) lines(all bool) (texts []string) {
	type line struct{ where, what string }
	var lines []line
	clients := map[line][]string{}
	for _, p := range v.Places {
		// That a name is not there is a finding, if it matters.
		if (p.Answer == Ours || p.Answer == Nothing && p.Address == "") && !all {
			continue
		}
		l := line{p.URL, answerWords[p.Answer] + after(": ", p.Text)}
		if p.Address != "" {
			l.where += " [" + p.Address + "]"
		}
		if clients[l] == nil {
			lines = append(lines, l)
		}
		clients[l] = append(clients[l], p.Client)
	}
	for _, l := range lines {
		texts = append(texts, l.where+" for "+strings.Join(clients[l], ", ")+": "+l.what)
	}
	return texts
}

// answerWords are the answers for people.
var answerWords = map[Answer]string{
	Ours:     "this service's answer",
	Same:     "the same settings",
	Others:   "other settings",
	Nothing:  "no settings",
	NotKnown: "could not be asked",
}
