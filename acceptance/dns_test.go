package acceptance

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// nameServer answers all DNS queries in the closed network, from the records of a zone
// text.
type nameServer struct {
	mu      sync.Mutex
	records map[string][]dns.RR // by lower-case name
	queries []string            // name and type, each once, in order
}

// startDNS serves a zone text in which all names are absolute.
func startDNS(t *testing.T, zone string) *nameServer {
	t.Helper()
	s := &nameServer{records: map[string][]dns.RR{}}
	parser := dns.NewZoneParser(strings.NewReader(zone), ".", "zone")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name := strings.ToLower(rr.Header().Name)
		s.records[name] = append(s.records[name], rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatalf("reading the zone text: %v\n%s", err, zone)
	}
	packets, err := net.ListenPacket("udp", dnsIP+":53")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", dnsIP+":53")
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: s}, {Listener: streams, Handler: s}} {
		go server.ActivateAndServe()
		t.Cleanup(func() { server.Shutdown() })
	}
	return s
}

// ServeDNS implements dns.Handler.
func (s *nameServer) ServeDNS(w dns.ResponseWriter, request *dns.Msg) {
	answer := new(dns.Msg)
	answer.SetReply(request)
	answer.Authoritative, answer.RecursionAvailable = true, true
	question := request.Question[0]
	s.record(question)
	name := strings.ToLower(question.Name)
	for range 8 { // CNAMEs
		records, exists := s.records[name]
		if !exists && !s.hasNamesBelow(name) {
			answer.Rcode = dns.RcodeNameError
		}
		alias := ""
		for _, rr := range records {
			switch {
			case rr.Header().Rrtype == question.Qtype:
				answer.Answer = append(answer.Answer, rr)
			case rr.Header().Rrtype == dns.TypeCNAME:
				answer.Answer = append(answer.Answer, rr)
				alias = strings.ToLower(rr.(*dns.CNAME).Target)
			}
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if len(answer.Answer) == 0 {
		soa, _ := dns.NewRR(". 0 IN SOA ns.invalid. postmaster.invalid. 1 60 60 60 0")
		answer.Ns = append(answer.Ns, soa)
	}
	w.WriteMsg(answer)
}

// hasNamesBelow reports whether there are names below the name, so that it exists.
func (s *nameServer) hasNamesBelow(name string) bool {
	for other := range s.records {
		if strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	return false
}

// record notes a query unless it has been noted before.
func (s *nameServer) record(q dns.Question) {
	line := strings.ToLower(strings.TrimSuffix(q.Name, ".")) + " " + dns.TypeToString[q.Qtype]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.queries, line) {
		s.queries = append(s.queries, line)
	}
}

// list returns the queries so far, each once.
func (s *nameServer) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}
