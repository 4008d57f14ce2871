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

// ownershipLabel is where Signpost records what it wrote: one TXT record at
// _signpost.‹domain›, a name that nothing else asks for (underscores keep it apart
// from host names, RFC 8552). Its first string names the service. Each of the
// others names one set of records, with a digest of what was written:
//
//	"v=signpost1 owner=setup.example.net" "autoconfig CNAME 2f0c…" …
//
// A set belongs to the service if it is listed and still has that digest. A set
// that somebody has edited since is theirs, as is one that was there before. This
// is external-dns's registry of TXT records with two differences: it is one record
// instead of one for each set, and it tells an edited set from an untouched one.
// The record changes in the same update as the sets that it lists, so that it is
// never wrong. As each update requires the record to be as it was read, two runs
// at once cannot both succeed.
const ownershipLabel = "_signpost"

const ownershipVersion = "v=signpost1"

// ownership is the content of that record.
type ownership struct {
	owner string
	sets  map[setKey]ownedSet
}

// setKey identifies a set of records by its name, relative to the domain, and
// type.
type setKey struct{ label, recordType string }

// ownedSet is a set that the service wrote.
type ownedSet struct {
	digest string
	// until is when the digests of replaced PACC documents may go.
	until time.Time
	// current is the digest, as that of a set, of the record among several that
	// belongs to the PACC document in use.
	current string
}

// parseOwnership parses the data of a TXT record. It returns false if the record
// is not an ownership record.
func parseOwnership(data string) (ownership, bool) {
	texts := dns.Strings(data)
	if len(texts) == 0 || len(texts[0]) > dns.MaxText {
		return ownership{}, false
	}
	owner, ok := strings.CutPrefix(texts[0], ownershipVersion+" owner=")
	if !ok {
		return ownership{}, false
	}
	o := ownership{owner: owner, sets: map[setKey]ownedSet{}}
	for _, text := range texts[1:] {
		fields := strings.Fields(text)
		if len(text) > dns.MaxText || len(fields) < 3 || !slices.Contains(records.TypesAt(fields[0]), fields[1]) {
			continue // of a later version, or nothing that the service could have written
		}
		set := ownedSet{digest: fields[2]}
		if len(fields) > 3 {
			if seconds, err := strconv.ParseInt(fields[3], 10, 64); err == nil && seconds > 0 {
				set.until = time.Unix(seconds, 0)
			}
		}
		if len(fields) > 4 {
			set.current = fields[4]
		}
		o.sets[setKey{fields[0], fields[1]}] = set
	}
	return o, true
}

// data returns the content as the data of a TXT record.
func (o ownership) data() string {
	texts := []string{dns.Quote(ownershipVersion + " owner=" + o.owner)}
	for _, name := range records.Names {
		for _, recordType := range name.Types {
			set, ok := o.sets[setKey{name.Label, recordType}]
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

// digestOf returns the digest by which a set is recognised. TTLs do not count, nor
// does anything that name servers may spell differently.
func digestOf(set ...dns.Record) string {
	sum := sha256.Sum256([]byte(strings.Join(dns.CanonicalSet(set), "\n")))
	return hex.EncodeToString(sum[:8])
}
