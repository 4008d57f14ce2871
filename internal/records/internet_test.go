package records

import (
	"strings"
	"sync/atomic"
	"testing"

	miekg "github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
)

// internet answers for many zones on one port. It acts as an organisation's resolver
// if the query wants recursion, and as the zones' own name servers if not. It also
// serves zones that a careful server would refuse to load.
type internet struct {
	zones     map[string]bool // apexes, with the final dot
	rrs       map[string][]miekg.RR
	names     map[string]bool // the names in rrs, and all names above them
	onQuery   func(miekg.Question)
	delegated string      // a zone for which its parent only gives a referral
	servfail  string      // a name that gets SERVFAIL, or *.name for all below it
	failing   uint16      // a type for which every name gets SERVFAIL
	mute      string      // names with this suffix get no answer
	unserved  bool        // queries without recursion get no answer
	silent    atomic.Bool // no query gets an answer
	queries   atomic.Int64
}

// newInternet reads the zone files, keyed by apex, and adds SOA and NS records.
func newInternet(t testing.TB, zones map[string]string) *internet {
	t.Helper()
	n := &internet{zones: map[string]bool{}, rrs: map[string][]miekg.RR{}, names: map[string]bool{},
		onQuery: func(miekg.Question) {}}
	for apex, text := range zones {
		n.zones[apex+"."] = true
		text += "\n" + apex + ". 300 IN SOA ns." + apex + ". host." + apex + ". 1 3600 600 86400 120" +
			"\n" + apex + ". 300 IN NS ns." + apex + ".\nns." + apex + ". 300 IN A 127.0.0.1\n"
		parser := miekg.NewZoneParser(strings.NewReader(text), apex+".", apex)
		parser.SetDefaultTTL(300)
		for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
			name := strings.ToLower(rr.Header().Name)
			n.rrs[name] = append(n.rrs[name], rr)
			for name != "" {
				n.names[name] = true
				_, name, _ = strings.Cut(name, ".")
			}
		}
		if err := parser.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *internet) ServeDNS(w miekg.ResponseWriter, query *miekg.Msg) {
	n.queries.Add(1)
	n.onQuery(query.Question[0])
	if n.silent.Load() || n.unserved && !query.RecursionDesired ||
		n.mute != "" && strings.HasSuffix(strings.ToLower(query.Question[0].Name), n.mute) {
		return
	}
	answer := new(miekg.Msg).SetReply(query)
	answer.Authoritative = !query.RecursionDesired
	answer.RecursionAvailable = true
	name := strings.ToLower(query.Question[0].Name)
	qtype := query.Question[0].Qtype
	switch {
	case n.delegated != "" && !query.RecursionDesired && miekg.IsSubDomain(n.delegated, name):
		answer.Authoritative = false
		answer.Ns = []miekg.RR{dnstest.RR(n.delegated + " 300 IN NS ns.elsewhere.example.")}
	case n.failing == qtype, n.servfail == name, n.servfail != "" && n.servfail[0] == '*' &&
		strings.HasSuffix(name, n.servfail[1:]):
		answer.Rcode = miekg.RcodeServerFailure
	default:
		n.answer(answer, name, qtype)
	}
	if opt := query.IsEdns0(); opt != nil {
		answer.SetEdns0(dnstest.UDPSize, false)
	}
	if w.LocalAddr().Network() == "udp" {
		answer.Truncate(dnstest.UDPSize)
	}
	w.WriteMsg(answer)
}

func (n *internet) answer(answer *miekg.Msg, name string, qtype uint16) {
	zone := n.zone(name)
	for range 10 {
		rrs, exists := n.find(name)
		var alias string
		found := false
		for _, rr := range rrs {
			rr = miekg.Copy(rr)
			rr.Header().Name = name
			if rr.Header().Rrtype == qtype {
				answer.Answer = append(answer.Answer, rr)
				found = true
			} else if cname, ok := rr.(*miekg.CNAME); ok {
				alias = strings.ToLower(cname.Target)
			}
		}
		if found {
			return
		}
		if alias == "" {
			if !exists {
				answer.Rcode = miekg.RcodeNameError
			}
			if apex := n.zone(name); apex != "" {
				for _, rr := range n.rrs[apex] {
					if rr.Header().Rrtype == miekg.TypeSOA {
						answer.Ns = append(answer.Ns, rr)
					}
				}
			}
			return
		}
		answer.Answer = append(answer.Answer, dnstest.RR(name+" 300 IN CNAME "+alias))
		if answer.Authoritative && n.zone(alias) != zone {
			return
		}
		name = alias
	}
}

func (n *internet) zone(name string) string {
	for name != "" {
		if _, ok := n.zones[name]; ok {
			return name
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return ""
}

// find returns the records of a name, its own or those of a wildcard (RFC 4592), and
// whether the name exists.
func (n *internet) find(name string) ([]miekg.RR, bool) {
	if rrs, ok := n.rrs[name]; ok {
		return rrs, true
	}
	if n.exists(name) {
		return nil, true
	}
	for {
		i := strings.IndexByte(name, '.')
		if i < 0 || i == len(name)-1 {
			return nil, false
		}
		name = name[i+1:]
		if rrs, ok := n.rrs["*."+name]; ok {
			return rrs, true
		}
		if n.exists(name) {
			return nil, false
		}
	}
}

func (n *internet) exists(name string) bool { return n.names[name] }
