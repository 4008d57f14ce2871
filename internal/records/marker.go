package records

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// markerLabel is where Signpost writes down what it wrote: one TXT record at
// _signpost.‹domain›, a name that nothing else asks for (underscores keep it out
// of the way of hosts, RFC 8552). Its first string names the service, the others
// one set of records each, with a digest of what was written:
//
//	"v=signpost1 owner=setup.example.net" "autoconfig CNAME 2f0c…" …
//
// A set belongs to us if it is listed and still has that digest. One that
// somebody edited since is theirs, as is one that was there before. This is
// external-dns's registry of TXT records with two differences: it is one record
// and not one for each, and it knows an edited set from an untouched one. It
// changes in the same update as the sets that it lists, so that it is never
// wrong; and as each update requires the marker to be as it was read, two runs
// at once cannot both succeed.
const markerLabel = "_signpost"

const markerVersion = "v=signpost1"

// maxText is how long one string of a TXT record can be (RFC 1035 §3.3); a
// longer one is not written as one, and so was not by us.
const maxText = 255

// marker is what stands there.
type marker struct {
	owner string
	sets  map[setKey]owned
}

// setKey names a set of records by its name, below the domain, and type.
type setKey struct{ label, recordType string }

func (k setKey) String() string { return k.label + " " + k.recordType }

// owned is a set that we wrote.
type owned struct {
	digest string
	// until is when the digests of replaced PACC documents may go.
	until time.Time
	// current is the digest, as that of a set, of the record among several that
	// vouches for the document in use.
	current string
}

// readMarker reads the data of a TXT record; false if it is no marker of ours.
func readMarker(data string) (marker, bool) {
	texts := splitText(data)
	if len(texts) == 0 || len(texts[0]) > maxText {
		return marker{}, false
	}
	owner, ok := strings.CutPrefix(texts[0], markerVersion+" owner=")
	if !ok {
		return marker{}, false
	}
	m := marker{owner: owner, sets: map[setKey]owned{}}
	for _, text := range texts[1:] {
		fields := strings.Fields(text)
		if len(text) > maxText || len(fields) < 3 || !slices.Contains(managedTypes(fields[0]), fields[1]) {
			continue // of a later version, or nothing that we could have written
		}
		set := owned{digest: fields[2]}
		if len(fields) > 3 {
			if seconds, err := strconv.ParseInt(fields[3], 10, 64); err == nil && seconds > 0 {
				set.until = time.Unix(seconds, 0)
			}
		}
		if len(fields) > 4 {
			set.current = fields[4]
		}
		m.sets[setKey{fields[0], fields[1]}] = set
	}
	return m, true
}

// data is the marker as the data of a TXT record.
func (m marker) data() string {
	texts := []string{quote(markerVersion + " owner=" + m.owner)}
	for _, name := range managed {
		for _, recordType := range name.types {
			set, ok := m.sets[setKey{name.label, recordType}]
			if !ok {
				continue
			}
			text := fmt.Sprintf("%s %s %s", name.label, recordType, set.digest)
			if !set.until.IsZero() || set.current != "" {
				text += " " + strconv.FormatInt(max(set.until.Unix(), 0), 10)
			}
			if set.current != "" {
				text += " " + set.current
			}
			texts = append(texts, quote(text))
		}
	}
	return strings.Join(texts, " ")
}

// digestOfSet is what a set is known by again. TTLs do not count, nor does
// anything that name servers may write in another way.
func digestOfSet(records []Record) string {
	texts := make([]string, len(records))
	for i, r := range records {
		texts[i] = canonicalData(r)
	}
	slices.Sort(texts)
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// canonicalData is the data of a record in the one form in which equal data are
// equal.
func canonicalData(r Record) string {
	switch r.Type {
	case "TXT":
		return unquote(r.Data)
	default:
		return strings.ToLower(r.Data)
	}
}

// sameData reports whether two sets hold the same.
func sameData(a, b []Record) bool {
	return len(a) == len(b) && digestOfSet(a) == digestOfSet(b)
}

// splitText takes the strings of a TXT record's data apart.
func splitText(data string) []string {
	var texts []string
	for data != "" {
		end := 1
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(data))
		texts = append(texts, unquote(data[:end]))
		data = strings.TrimLeft(data[end:], " ")
	}
	return texts
}
