package living

import (
	"fmt"
	"io"
	"strings"

	"signpost/account"
)

// Says returns what the witness says, each server in a few words.
func (w *Witness) Says() []string {
	if w.Nothing != "" {
		return []string{"nothing: " + w.Nothing}
	}
	var lines []string
	for _, server := range w.Provider.Servers {
		line := string(server.Type) + " " + placeOf(server)
		if name := text(server.Login); name != "" && name != account.EmailAddress {
			line += ", user name " + name
		}
		if len(server.Authentication) > 0 && server.Authentication[0] != account.PasswordCleartext {
			line += ", " + methods(server.Authentication)
		}
		lines = append(lines, Printable(line))
	}
	return lines
}

// WriteText writes what each witness says, who says nothing, the contradictions and what is not known.
func (s *Survey) WriteText(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, as the network tells it:\n", s.Domain)
	end := "\n"
	var silent []Witness
	for _, w := range s.Witnesses {
		if w.Unsure {
			continue // it is among what is not known
		}
		if w.Nothing != "" {
			silent = append(silent, w)
			continue
		}
		b.WriteString(end)
		end = ""
		fmt.Fprintf(&b, "%s\n  %s\n", w.Kind, w.Place)
		for _, line := range w.Says() {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if len(s.Exchangers) > 0 {
		fmt.Fprintf(&b, "%sMX\n    %s\n", end, strings.Join(s.Exchangers, "\n    "))
	}
	if s.HandOver != nil {
		fmt.Fprintf(&b, "another service that answers Autodiscover\n  %s\n    %s%s\n", s.HandOverFrom,
			s.HandOver.Hostname, s.HandOver.Address)
	}
	list(&b, "Nothing is said at:", bySilence(silent))
	list(&b, "Not known, so something may be missing:", s.Unknown)
	var differences []string
	for _, c := range s.Contradictions {
		differences = append(differences, fmt.Sprintf("%s\n      %s\n        %s\n      %s\n        %s",
			c.About, c.First, c.FirstSays, c.Second, c.SecondSays))
	}
	list(&b, "Contradictions, of which the first is taken:", differences)
	_, err := io.WriteString(out, b.String())
	return err
}

// bySilence names witnesses that say nothing, those of one place and reason together.
func bySilence(silent []Witness) (items []string) {
	for i := 0; i < len(silent); {
		w, kinds := silent[i], ""
		for ; i < len(silent) && silent[i].Place == w.Place && silent[i].Nothing == w.Nothing; i++ {
			kinds += ", " + silent[i].Kind
		}
		items = append(items, fmt.Sprintf("%s\n      %s: %s", w.Place, strings.TrimPrefix(kinds, ", "), w.Nothing))
	}
	return items
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) > 0 {
		fmt.Fprintf(b, "\n%s\n  - %s\n", title, strings.Join(items, "\n  - "))
	}
}
