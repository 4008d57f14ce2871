package acceptance

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// labTimeout is how long the whole laboratory may take.
const labTimeout = 4 * time.Minute

// TestLaboratory plants faults, one domain for each, and lets real clients and the doctor
// loose on all of them.
func TestLaboratory(t *testing.T) {
	need(t, "thunderbird", "certutil", "deltachat-rpc-server", "aerc", "tmux", "dovecot", "postfix", "named",
		"dnssec-signzone", "dnssec-keygen")
	closedFor(t, labTimeout+time.Minute, func(t *testing.T) {
		all := subjects()
		lab := startLaboratory(t, all)
		var planted []subject
		var addresses []string
		for _, s := range all {
			if !s.twin {
				planted = append(planted, s)
			}
			addresses = append(addresses, s.address())
		}
		// Some of Delta Chat's searches wait for a minute. The doctor need not wait for them.
		var patient map[string]map[string]judged
		var group sync.WaitGroup
		group.Go(func() {
			patient = lab.judge(t, planted, func(judge string, s subject) bool { return judge == deltaChatCore })
		})
		seen := lab.judge(t, planted, func(judge string, s subject) bool { return judge != deltaChatCore })
		reports := diagnose(t, addresses...)
		group.Wait()
		seen[deltaChatCore] = patient[deltaChatCore]
		lab.judgeAgain(t, planted, seen[thunderbird153], func(s subject, j judged) bool {
			return strings.HasPrefix(j.String(), s.golden())
		})
		lab.checkCounts(t)
		lab.checkExamples(t)
		for _, s := range all {
			lab.check(t, s, reports[s.address()], seen)
		}
		lab.checkCures(t, planted, reports)
	})
}

// judgeAgain lets Thunderbird search again for those of the subjects at which it did something
// else than expected, one at a time: on a busy machine, an answer may have come after its limit
// of 5 s.
func (lab *laboratory) judgeAgain(
	t *testing.T, planted []subject, seen map[string]judged, expected func(subject, judged) bool,
) {
	t.Helper()
	var doubtful []subject
	for _, s := range planted {
		if j, ok := seen[s.address()]; ok && !expected(s, j) {
			t.Logf("%s: at first, Thunderbird did %v", s.domain, j)
			doubtful = append(doubtful, s)
		}
	}
	if len(doubtful) == 0 {
		return
	}
	for address, j := range lab.thunderbird.judge(t, lab.web, 1, doubtful...) {
		seen[address] = j
	}
}

// check compares the doctor's report on a subject with what was planted and with what the
// real clients did.
func (lab *laboratory) check(t *testing.T, s subject, d diagnosis, seen map[string]map[string]judged) {
	t.Helper()
	want := slices.Clone(s.always)
	if !s.twin {
		want = append(want, s.faults...)
	}
	slices.Sort(want)
	if got := d.ids(); !slices.Equal(got, want) {
		t.Errorf("%s: the doctor finds %v, want %v%s", s.domain, got, want, d.sentences())
	}
	if !d.Complete {
		t.Errorf("%s: the diagnosis is not complete%s", s.domain, d.sentences())
	}
	for _, judge := range judges {
		j, ok := seen[judge][s.address()]
		if !ok {
			continue
		}
		f, ok := d.of(judge)
		if !ok {
			t.Errorf("%s: no forecast for %s, which did %v", s.domain, judge, j)
		} else if problem := f.differs(judge, j); problem != "" {
			t.Errorf("%s: %s: %s did %v, the forecast is %v", s.domain, problem, judge, j, f)
		}
		if judge == thunderbird153 && !strings.HasPrefix(j.String(), s.golden()) {
			t.Errorf("%s: Thunderbird did %v, want %s", s.domain, j, s.golden())
		}
	}
}

// The judges: real clients, by the names that the doctor has for them.
const (
	thunderbird153 = "thunderbird"
	deltaChatCore  = "deltachat"
	aerc014        = "aerc-0.14"
)

var judges = []string{thunderbird153, deltaChatCore, aerc014}

// laboratory is the closed network with all subjects, and the judges.
type laboratory struct {
	zones       map[string][]string // by name, as they were at first
	web         *labWeb
	thunderbird *thunderbird
	deltaChat   *labDeltaChat
}

// startLaboratory starts all servers and the judges.
func startLaboratory(t *testing.T, all []subject) *laboratory {
	t.Helper()
	ip := exec.Command("ip", "-batch", "-")
	ip.Stdin = strings.NewReader(strings.Join([]string{
		"address add " + labSigned + "/32 dev lo",
		"address add " + hangIP + "/32 dev net0",
		"address add " + providerIP + "/32 dev net0",
		"address add " + secondWebIP + "/32 dev net0",
		"address add fd00::1/128 dev net0 nodad",
		"address add " + deadIPv6 + "/128 dev net0 nodad",
	}, "\n"))
	if out, err := ip.CombinedOutput(); err != nil {
		t.Fatalf("ip: %v: %s", err, out)
	}
	ca := newLabAuthority(t)
	os.Setenv("SSL_CERT_FILE", ca.file)
	zones := worldZones()
	for _, s := range all {
		zones[s.domain+"."] = s.zone()
	}
	exampleZones(t, zones)
	startZones(t, zones, map[string]time.Duration{
		"d11.example.": 24 * time.Hour, "d11-ok.example.": -24 * time.Hour,
	})
	web := startLabWeb(t, ca, all)
	web.serveExamples(t)
	startLabMail(t, web.certs, all)
	return &laboratory{zones, web, startThunderbird(t, ca), startLabDeltaChat(t, ca)}
}

// worldZones are the zones of all others than the subjects.
func worldZones() map[string][]string {
	zones := map[string][]string{".": {}}
	for domain, records := range map[string][]string{
		"hoster.example": {
			"in7 A " + goodMail, "in8 A " + goodMail, "in9 A " + goodMail, "out7 A " + goodMail, "out8 A " + goodMail,
			"pop7 A " + exampleMail, "mx1.in A " + goodMail, "autoconfig A " + providerIP, "autodiscover A " + providerIP,
		},
		"other.example": {
			"in8 A " + goodMail, "out8 A " + goodMail, "mx1.in A " + goodMail, "autoconfig.in A " + webIP,
			"autoconfig A " + providerIP, "autodiscover A " + providerIP,
		},
		"oldhost.example": {"mail A " + webIP, "autodiscover A " + webIP},
		"webhost.example": {"www A " + webIP},
		"outlook.com":     {"autodiscover A " + webIP, "autodiscover-s A " + webIP},
		"thunderbird.net": {"live A " + webIP, "autoconfig A " + webIP},
		"ispdb.net":       {"v1 A " + webIP},
	} {
		zones[domain+"."] = editZone(nil, records, domain)
	}
	return zones
}

// judge lets the judges set up accounts for those of the subjects that they are to judge, at the
// same time. The result is by judge and address.
func (lab *laboratory) judge(
	t *testing.T, all []subject, does func(judge string, s subject) bool,
) map[string]map[string]judged {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]map[string]judged{}
	var group sync.WaitGroup
	for judge, work := range map[string]func([]subject) map[string]judged{
		thunderbird153: func(some []subject) map[string]judged { return lab.thunderbird.judge(t, lab.web, 6, some...) },
		deltaChatCore:  func(some []subject) map[string]judged { return lab.deltaChat.judge(t, lab.web, 8, some...) },
		aerc014:        func(some []subject) map[string]judged { return judgeAerc(t, 3, some...) },
	} {
		some := slices.DeleteFunc(slices.Clone(all), func(s subject) bool { return !does(judge, s) })
		if len(some) == 0 {
			continue
		}
		group.Go(func() {
			began := time.Now()
			found := work(some)
			t.Logf("%s took %.0f s for %d domains", judge, time.Since(began).Seconds(), len(found))
			for address, j := range found {
				if j.Seconds > 20 {
					t.Logf("%s took %.0f s for %s", judge, j.Seconds, address)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			seen[judge] = found
		})
	}
	group.Wait()
	return seen
}
