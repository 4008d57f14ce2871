package records

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"signpost/internal/dns"
)

// writeOctoDNS writes one YAML document in the form that octoDNS's YamlProvider
// reads from ‹zone›.yaml. It takes the domain for the zone. The names below it are in
// order, as octoDNS's enforce_order demands. Each name has a record, or a list of
// records of several types, with keys in order. A SRV value is a map, and semicolons in
// texts are escaped.
func writeOctoDNS(w io.Writer, d Domain) error {
	fmt.Fprintf(w, "--- # %s.yaml\n", d.Name)
	err := writeNotes(w, d, "# ")
	if len(d.Records) == 0 {
		_, err = io.WriteString(w, "{}\n")
	}
	all := slices.SortedStableFunc(slices.Values(d.Records), func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Type, b.Type))
	})
	for len(all) > 0 {
		name := all[0].Name
		_, err = fmt.Fprintf(w, "%s:\n", yamlString(strings.TrimSuffix(name, "."+d.Name)))
		here := cutWhile(&all, func(r Record) bool { return r.Name == name })
		first, indent := "  ", "  "
		if here[0].Type != here[len(here)-1].Type {
			first, indent = "  - ", "    "
		}
		for len(here) > 0 {
			recordType := here[0].Type
			set := cutWhile(&here, func(r Record) bool { return r.Type == recordType })
			writeOctoSet(w, set, first, indent)
		}
	}
	return err
}

// cutWhile cuts the records that fulfil the condition off the front of all.
func cutWhile(all *[]Record, condition func(Record) bool) []Record {
	n := 0
	for n < len(*all) && condition((*all)[n]) {
		n++
	}
	front := (*all)[:n]
	*all = (*all)[n:]
	return front
}

// writeOctoSet writes the records of a name and type. It puts first before the first
// line of the map and indent before the others.
func writeOctoSet(w io.Writer, set []Record, first, indent string) {
	r := set[0]
	fmt.Fprintf(w, "%s# %s\n%sttl: %d\n%stype: %s\n", indent, r.Reason, first, r.TTL, indent, r.Type)
	if len(set) == 1 {
		fmt.Fprintf(w, "%svalue:%s", indent, octoValue(r, " ", indent+"  "))
		return
	}
	fmt.Fprintf(w, "%svalues:\n", indent)
	for _, r := range set {
		io.WriteString(w, octoValue(r, indent+"  - ", indent+"    "))
	}
}

func octoValue(r Record, first, indent string) string {
	value := yamlString(r.Data)
	switch r.Type {
	case "SRV":
		f := strings.Fields(r.Data) // priority, weight, port, target
		if first == " " {
			first = "\n" + indent
		}
		value = fmt.Sprintf("port: %s\n%spriority: %s\n%starget: %s\n%sweight: %s",
			f[2], indent, f[0], indent, yamlString(f[3]), indent, f[1])
	case "TXT":
		value = yamlString(strings.ReplaceAll(dns.Unquote(r.Data), ";", `\;`))
	}
	return first + value + "\n"
}

// yamlString quotes a text of printable characters.
func yamlString(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
