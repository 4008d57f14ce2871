package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/internal/dns"
	"signpost/internal/records"
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
	texts := dns.Strings(data)
	if len(texts) == 0 || len(texts[0]) > dns.MaxText {
		return marker{}, false
	}
	owner, ok := strings.CutPrefix(texts[0], markerVersion+" owner=")
	if !ok {
		return marker{}, false
	}
	m := marker{owner: owner, sets: map[setKey]owned{}}
	for _, text := range texts[1:] {
		fields := strings.Fields(text)
		if len(text) > dns.MaxText || len(fields) < 3 || !slices.Contains(records.TypesAt(fields[0]), fields[1]) {
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
	texts := []string{dns.Quote(markerVersion + " owner=" + m.owner)}
	for _, name := range records.Names {
		for _, recordType := range name.Types {
			set, ok := m.sets[setKey{name.Label, recordType}]
			if !ok {
				continue
			}
			text := fmt.Sprintf("%s %s %s", name.Label, recordType, set.digest)
			if !set.until.IsZero() || set.current != "" {
				text += " " + strconv.FormatInt(max(set.until.Unix(), 0), 10)
			}
			if set.current != "" {
				text += " " + set.current
			}
			texts = append(texts, dns.Quote(text))
		}
	}
	return strings.Join(texts, " ")
}

// digestOfSet is what a set is known by again. TTLs do not count, nor does
// anything that name servers may write in another way.
func digestOfSet(set []dns.Record) string {
	sum := sha256.Sum256([]byte(strings.Join(dns.CanonicalSet(set), "\n")))
	return hex.EncodeToString(sum[:8])
}
