package acceptance

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// cure does at a subject what its findings say. Records are removed from the zone and put
// there as the doctor prints them. Other cures name a change at a server: there it is as
// healthy as that of the twin from then on. It returns the clients that were hit.
func (lab *laboratory) cure(t *testing.T, s subject, d diagnosis) (hit []string) {
	t.Helper()
	servers := false
	for _, f := range d.Findings {
		if slices.Contains(s.always, f.ID) {
			continue
		}
		hit = append(hit, f.Clients...)
		if len(f.Cures) == 0 {
			t.Errorf("%s: %s has no cure", s.domain, f.ID)
			continue
		}
		inDNS := false
		var names []string // that have got a record: what puts another there is another way
		for _, c := range f.Cures {
			if c.Who == "" || c.Text == "" {
				t.Errorf("%s: the cure of %s says neither who nor what: %+v", s.domain, f.ID, c)
			}
			if len(c.Remove)+len(c.Put) == 0 || slices.ContainsFunc(c.Put, func(line string) bool {
				owner, _, _ := strings.Cut(line, " ")
				return slices.Contains(names, owner)
			}) {
				continue
			}
			for _, line := range c.Put {
				owner, _, _ := strings.Cut(line, " ")
				names = append(names, owner)
			}
			lab.edit(t, c.Remove, c.Put)
			inDNS = true
		}
		servers = servers || !inDNS
	}
	if servers {
		mended := s
		mended.fault = edits{zone: s.fault.zone}
		lab.web.set(mended)
		lab.replace(t, s.domain, s.mended)
	}
	if slices.Contains(d.ids(), "C15") {
		lab.web.listMended.Store(true)
	}
	if s.name == "d11" {
		signZone(t, "d11.example.", zoneFile("d11.example.", labSigned, s.zone()), -24*time.Hour)
		rndc(t, labSigned, "reload", "d11.example")
		waitForAnswer(t, labSigned, "d11.example.", isSigned)
		// BIND keeps for half a minute that something could not be validated.
		rndc(t, labResolver, "flush")
		waitForAnswer(t, labResolver, "d11.example.", isSigned)
	}
	return hit
}

// waitForAnswer waits until a server gives an answer about a zone that is good: a server reads
// a zone some time after it is told to.
func waitForAnswer(t *testing.T, server, zone string, good func(*dns.Msg) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		query := new(dns.Msg)
		query.SetQuestion(zone, dns.TypeMX)
		query.SetEdns0(1232, true)
		answer, _, err := new(dns.Client).Exchange(query, server+":53")
		if err == nil && answer.Rcode == dns.RcodeSuccess && good(answer) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s has no good answer for %s: %v, %v", server, zone, err, answer)
			return
		}
	}
}

// isSigned reports whether an answer has a signature that is valid now.
func isSigned(answer *dns.Msg) bool {
	return slices.ContainsFunc(answer.Answer, func(rr dns.RR) bool {
		signature, ok := rr.(*dns.RRSIG)
		return ok && signature.ValidityPeriod(time.Now())
	})
}

// edit changes records, each in the zone that has it.
func (lab *laboratory) edit(t *testing.T, remove, put []string) {
	t.Helper()
	changes := map[string][2][]string{}
	for i, lines := range [][]string{remove, put} {
		for _, line := range lines {
			owner, _, _ := strings.Cut(line, " ")
			zone := lab.zoneOf(owner)
			c := changes[zone]
			c[i] = append(c[i], line)
			changes[zone] = c
		}
	}
	for zone, c := range changes {
		update(t, zone, c[0], c[1])
	}
}

// zoneOf returns the zone that a name is in.
func (lab *laboratory) zoneOf(name string) string {
	for zone := dns.CanonicalName(name); zone != "."; {
		if _, ok := lab.zones[zone]; ok {
			return zone
		}
		_, zone, _ = strings.Cut(zone, ".")
		if zone == "" {
			break
		}
	}
	return "."
}

// replace applies lines of edits to a zone of the running server.
func (lab *laboratory) replace(t *testing.T, domain string, changes []string) {
	t.Helper()
	var remove, add []string
	for _, change := range changes {
		if owner, ok := strings.CutPrefix(change, "-"); ok {
			for _, line := range lab.zones[domain+"."] {
				if strings.HasPrefix(line, owner+"."+domain+". ") {
					remove = append(remove, line)
				}
			}
			continue
		}
		add = append(add, editZone(nil, []string{change}, domain)...)
	}
	if len(changes) > 0 {
		update(t, domain+".", remove, add)
	}
}

// checkCures cures all planted subjects and asks the doctor and the real clients again:
// no finding is left but those that the twin has, and the clients that were hit succeed.
func (lab *laboratory) checkCures(t *testing.T, planted []subject, reports map[string]diagnosis) {
	t.Helper()
	hit := map[string][]string{}
	var addresses []string
	for _, s := range planted {
		hit[s.address()] = lab.cure(t, s, reports[s.address()])
		addresses = append(addresses, s.address())
	}
	// Delta Chat remembers what DNS and web servers said.
	lab.deltaChat = startLabDeltaChat(t, lab.web.ca)
	var after map[string]diagnosis
	var group sync.WaitGroup
	group.Go(func() { after = diagnose(t, addresses...) })
	seen := lab.judge(t, planted, func(judge string, s subject) bool {
		return slices.Contains(hit[s.address()], judge)
	})
	group.Wait()
	lab.judgeAgain(t, planted, seen[thunderbird153], func(_ subject, j judged) bool { return j.succeeded() })
	for _, s := range planted {
		d := after[s.address()]
		left := slices.DeleteFunc(d.ids(), func(id string) bool {
			return slices.Contains(s.always, id) || reports[s.address()].warnsOf(id)
		})
		if len(left) > 0 {
			t.Errorf("%s: after its cures the doctor still finds %v%s", s.domain, left, d.sentences())
		}
		for _, client := range hit[s.address()] {
			f, _ := d.of(client)
			if j, real := seen[client][s.address()]; real {
				if !j.succeeded() {
					t.Errorf("%s: after its cures, %s did %v (the forecast is %v)", s.domain, client, j, f)
				}
			} else if !f.succeeds() {
				t.Errorf("%s: after its cures, the forecast for %s is still %v", s.domain, client, f)
			}
		}
	}
}

// succeeds reports whether the person has an account without knowing the servers. Exchange
// programs that find none have nothing to find here, and those of which nothing is known
// cannot be judged.
func (f forecast) succeeds() bool {
	return f.Outcome == setsUp || f.Certainty == "?" || slices.Contains(exchangeOnly, f.Client)
}

// warnsOf reports whether a finding says that its cure will bring another to light.
func (d diagnosis) warnsOf(id string) bool {
	for _, f := range d.Findings {
		if slices.ContainsFunc(f.Uncovers, func(text string) bool { return strings.HasPrefix(text, id+": ") }) {
			return true
		}
	}
	return false
}

// exchangeOnly are clients that set up Exchange accounts only.
var exchangeOnly = []string{"exchangelib", "ews-javascript-api", "outlook", "apple-exchange", "apple-mail"}
