package records

import (
	"strings"
	"sync/atomic"
	"testing"

	miekg "github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
)

// internet answers for many zones on one port: as the resolver of an
// organisation where recursion is asked for, and otherwise as their own name
// servers. It serves what a careful server would refuse to load.
type internet struct {
	zones     map[string]bool // apexes, with the final dot
	rrs       map[string][]miekg.RR
	names     map[string]bool // those, and all above them
	asked     func(miekg.Question)
	elsewhere string // a zone that its parent only refers to
	servfail  string // a name that cannot be looked up, or all below one: *.name
	mute      string // the end of names of which nothing is said
	unserved  bool   // nothing is said where no recursion is asked for
	silent    atomic.Bool
	queries   atomic.Int64
}

// newInternet reads zone files by their apex. Each gets SOA and NS.
func newInternet(t testing.TB, zones map[string]string) *internet {
	t.Helper()
	n := &internet{zones: map[string]bool{}, rrs: map[string][]miekg.RR{}, names: map[string]bool{}, asked: func(miekg.Question) {}}
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
	n.asked(query.Question[0])
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
	case n.elsewhere != "" && !query.RecursionDesired && miekg.IsSubDomain(n.elsewhere, name):
		answer.Authoritative = false
		answer.Ns = []miekg.RR{dnstest.RR(n.elsewhere + " 300 IN NS ns.elsewhere.example.")}
	case n.servfail == name, n.servfail != "" && n.servfail[0] == '*' && strings.HasSuffix(name, n.servfail[1:]):
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

// find returns the records of a name, its own or those of a wildcard (RFC
// 4592).
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
