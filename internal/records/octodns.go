package records

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/dns"
)

// appendOctoDNS appends one YAML document in the form that octoDNS's YamlProvider
// reads from ‹zone›.yaml. It takes the domain for the zone. The names below it are in
// order, as octoDNS's enforce_order demands. Each name has a record, or a list of
// records of several types, with keys in order. A SRV value is a map, and semicolons in
// texts are escaped.
func appendOctoDNS(b []byte, d Domain) []byte {
	b = fmt.Appendf(b, "--- # %s.yaml\n", d.Name)
	b = appendNotes(b, d, "# ")
	if len(d.Records) == 0 {
		return append(b, "{}\n"...)
	}
	sets := rrsets(d.Records)
	slices.SortStableFunc(sets, func(a, b []Record) int {
		return cmp.Or(strings.Compare(a[0].Name, b[0].Name), strings.Compare(a[0].Type, b[0].Type))
	})
	for len(sets) > 0 {
		name := sets[0][0].Name
		n := slices.IndexFunc(sets, func(set []Record) bool { return set[0].Name != name })
		if n < 0 {
			n = len(sets)
		}
		b = fmt.Appendf(b, "%s:\n", yamlString(strings.TrimSuffix(name, "."+d.Name)))
		for _, set := range sets[:n] {
			if n == 1 {
				b = appendOctoSet(b, set, "  ", "  ")
			} else {
				b = appendOctoSet(b, set, "  - ", "    ")
			}
		}
		sets = sets[n:]
	}
	return b
}

// appendOctoSet appends the records of a name and type. It puts first before the first
// line of the map and indent before the others.
func appendOctoSet(b []byte, set []Record, first, indent string) []byte {
	r := set[0]
	b = fmt.Appendf(b, "%s# %s\n%sttl: %d\n%stype: %s\n", indent, r.Reason, first, r.TTL, indent, r.Type)
	if len(set) == 1 {
		return appendOctoValue(fmt.Appendf(b, "%svalue:", indent), r, " ", indent+"  ")
	}
	b = fmt.Appendf(b, "%svalues:\n", indent)
	for _, r := range set {
		b = appendOctoValue(b, r, indent+"  - ", indent+"    ")
	}
	return b
}

func appendOctoValue(b []byte, r Record, first, indent string) []byte {
	switch r.Type {
	case "SRV":
		f := strings.Fields(r.Data) // priority, weight, port, target
		if first == " " {
			first = "\n" + indent
		}
		return fmt.Appendf(b, "%sport: %s\n%spriority: %s\n%starget: %s\n%sweight: %s\n",
			first, f[2], indent, f[0], indent, yamlString(f[3]), indent, f[1])
	case "TXT":
		return fmt.Appendf(b, "%s%s\n", first, yamlString(strings.ReplaceAll(dns.Unquote(r.Data), ";", `\;`)))
	}
	return fmt.Appendf(b, "%s%s\n", first, yamlString(r.Data))
}

// yamlString quotes a text of printable characters.
func yamlString(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// rrsets groups records by name and type, in the order in which the sets begin.
func rrsets(records []Record) [][]Record {
	var sets [][]Record
	index := map[[2]string]int{}
	for _, r := range records {
		key := [2]string{r.Name, r.Type}
		i, ok := index[key]
		if !ok {
			i = len(sets)
			index[key] = i
			sets = append(sets, nil)
		}
		sets[i] = append(sets[i], r)
	}
	return sets
}
