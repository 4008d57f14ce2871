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
	closedFor(t, labTimeout+30*time.Second, func(t *testing.T) {
		all := subjects()
		lab := startLaboratory(t, all)
		seen := lab.judge(t, slices.DeleteFunc(slices.Clone(all), func(s subject) bool { return s.twin }))
		for _, s := range all {
			if s.twin {
				continue
			}
			for _, judge := range judges {
				t.Logf("%-8s %-12s %5.1f %v", s.name, judge, seen[judge][s.address()].Seconds, seen[judge][s.address()])
			}
			if j := seen[thunderbird153][s.address()]; !strings.HasPrefix(j.String(), s.golden()) {
				t.Errorf("%s: Thunderbird did %v, want %s", s.domain, j, s.golden())
			}
		}
	})
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
		"address add 2001:db8::1/128 dev net0 nodad",
		"address add " + deadIPv6 + "/128 dev net0 nodad",
	}, "\n"))
	if out, err := ip.CombinedOutput(); err != nil {
		t.Fatalf("ip: %v: %s", err, out)
	}
	ca := newLabAuthority(t)
	os.Setenv("SSL_CERT_FILE", ca.file)
	zones := map[string][]string{
		".": {},
		"hoster.example.": editZone(nil, []string{"in7 A " + goodMail, "in8 A " + goodMail, "in9 A " + goodMail,
			"out7 A " + goodMail, "out8 A " + goodMail, "mx1.in A " + goodMail}, "hoster.example"),
		"other.example.":   editZone(nil, []string{"mx1.in A " + goodMail, "autoconfig.in A " + webIP}, "other.example"),
		"oldhost.example.": editZone(nil, []string{"mail A " + webIP, "autodiscover A " + webIP}, "oldhost.example"),
		"webhost.example.": editZone(nil, []string{"www A " + webIP}, "webhost.example"),
		"outlook.com.":     editZone(nil, []string{"autodiscover A " + webIP, "autodiscover-s A " + webIP}, "outlook.com"),
		"thunderbird.net.": editZone(nil, []string{"live A " + webIP, "autoconfig A " + webIP}, "thunderbird.net"),
		"ispdb.net.":       editZone(nil, []string{"v1 A " + webIP}, "ispdb.net"),
	}
	for _, s := range all {
		zones[s.domain+"."] = s.zone()
	}
	startZones(t, zones, map[string]time.Duration{"d11.example.": 24 * time.Hour, "d11-ok.example.": -24 * time.Hour})
	web := startLabWeb(t, ca, all)
	startLabMail(t, web.certs, all)
	return &laboratory{web, startThunderbird(t, ca), startLabDeltaChat(t, ca)}
}

// judge lets all judges set up accounts for the subjects at the same time. The result is
// by judge and address.
func (lab *laboratory) judge(t *testing.T, all []subject) map[string]map[string]judged {
	t.Helper()
	var addresses []string
	for _, s := range all {
		addresses = append(addresses, s.address())
	}
	var mu sync.Mutex
	seen := map[string]map[string]judged{}
	var group sync.WaitGroup
	for judge, work := range map[string]func() map[string]judged{
		thunderbird153: func() map[string]judged { return lab.thunderbird.judge(t, 6, addresses...) },
		deltaChatCore:  func() map[string]judged { return lab.deltaChat.judge(t, lab.web, 8, all...) },
		aerc014:        func() map[string]judged { return judgeAerc(t, 3, all...) },
	} {
		group.Go(func() {
			began := time.Now()
			found := work()
			t.Logf("%s took %.0f s for %d domains", judge, time.Since(began).Seconds(), len(found))
			mu.Lock()
			defer mu.Unlock()
			seen[judge] = found
		})
	}
	group.Wait()
	return seen
}
