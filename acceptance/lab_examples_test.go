package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// example is one of the example systems, served by Signpost itself.
type example struct {
	file, address string
	hosts         []string // the mail servers
	// faults are the findings that the documents of the system cause.
	faults []string
}

var examples = []example{
	{"mamut", "anna@domain.se", []string{"mamutmail.com"}, nil},
	{"mamut", "mail@domain.se", []string{"mamutmail.com"}, nil},
	{"onecom", "karin@malaren.example", []string{"imap.one.com", "send.one.com"}, nil},
	{"websupport", "anna@butiken.example", []string{"imap.websupport.se", "smtp.websupport.se"}, nil},
	{"own-domain", "anna@foretaget.example", []string{"mail.foretaget.example"}, nil},
	// Microsoft takes no passwords.
	{"office365", "anna@kh-konsult.example", []string{"outlook.office365.com", "smtp.office365.com"},
		[]string{"A4", "A5", "A6"}},
}

// exampleMail is the address of the mail servers of all examples. They have POP3, too.
const exampleMail = "127.0.1.10"

func (x example) domain() string {
	_, domain, _ := strings.Cut(x.address, "@")
	return domain
}

// service returns the name of the example's service.
func (x example) service(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "config", x.file+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^name: (\S+)`).FindSubmatch(text)
	if match == nil {
		t.Fatalf("%s.yaml has no name", x.file)
	}
	return string(match[1])
}

// exampleZones adds the zones of the examples: what "signpost records" prints, and the
// hosts of the services and the mail servers.
func exampleZones(t *testing.T, zones map[string][]string) {
	t.Helper()
	for _, x := range examples {
		domain := x.domain()
		config := filepath.Join("..", "testdata", "config", x.file+".yaml")
		printed, err := exec.Command(os.Getenv(insideVariable), "records", "-config", config, domain).Output()
		if err != nil {
			t.Fatalf("signpost records %s: %v", domain, err)
		}
		var records []string
		for line := range strings.Lines(string(printed)) {
			if line, _, _ = strings.Cut(strings.TrimSpace(line), " ; "); line != "" && line[0] != ';' {
				records = append(records, line)
			}
		}
		zones[domain+"."] = append(records, domain+". 60 IN A "+webIP, domain+". 60 IN MX 10 mx1."+x.hosts[0]+".")
		for name, ip := range map[string]string{x.service(t): webIP, "mx1." + x.hosts[0]: webIP} {
			addHost(zones, name, ip)
		}
		for _, host := range x.hosts {
			addHost(zones, host, exampleMail)
		}
	}
}

// addHost adds a host to the zone that has it, or to one of its own.
func addHost(zones map[string][]string, host, ip string) {
	record := host + ". 60 IN A " + ip
	for zone := host + "."; strings.Contains(strings.TrimSuffix(zone, "."), "."); _, zone, _ = strings.Cut(zone, ".") {
		if _, ok := zones[zone]; ok || strings.Count(zone, ".") == 2 {
			if !slices.Contains(zones[zone], record) {
				zones[zone] = append(zones[zone], record)
			}
			return
		}
	}
}

// serveExamples runs Signpost for each example, behind the web server of the laboratory.
func (l *labWeb) serveExamples(t *testing.T) {
	t.Helper()
	for i, x := range examples {
		if i > 0 && x.file == examples[i-1].file {
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", "testdata", "config", x.file+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		config := strings.Replace(string(text), "127.0.0.1:8080", fmt.Sprintf("127.0.0.1:%d", 8080+i), 1)
		file := writeFile(t, x.file+"/signpost.yaml", config+"\nadmin: {listen: none}\n")
		s := &service{t: t, file: file, log: &lines{}}
		cmd := exec.Command(os.Getenv(insideVariable), "serve", "-config", file)
		cmd.Stderr = s.log
		s.ended = run(t, cmd)
		address := s.await(`msg=listening address=(\S+)`)[1]
		for _, host := range []string{x.service(t), "autoconfig." + x.domain(), "autodiscover." + x.domain(),
			"ua-auto-config." + x.domain()} {
			l.others[host] = proxy(address).ServeHTTP
		}
	}
}

// checkExamples lets the doctor examine the example systems.
func (lab *laboratory) checkExamples(t *testing.T) {
	t.Helper()
	var addresses []string
	for _, x := range examples {
		addresses = append(addresses, x.address)
	}
	reports := diagnose(t, addresses...)
	for _, x := range examples {
		d := reports[x.address]
		if got := d.ids(); !slices.Equal(got, append([]string{}, x.faults...)) || !d.Complete {
			t.Errorf("%s of %s: the doctor finds %v, complete %v, want %v%s", x.address, x.file, got, d.Complete,
				x.faults, d.sentences())
		}
	}
}

// checkCounts holds the numbers that a healthy domain may cost, as the servers count them.
func (lab *laboratory) checkCounts(t *testing.T) {
	t.Helper()
	const domain = "c1-ok.example"
	requests, asked, mails := len(lab.web.journal.list()), len(questions("")), len(mailLines(""))
	d := diagnose(t, "anna@"+domain)["anna@"+domain]
	if d.Seconds >= 3 {
		t.Errorf("the diagnosis of %s took %.1f s, want less than 3", domain, d.Seconds)
	}
	web := lab.web.journal.list()[requests:]
	dns := questions("")[asked:]
	if len(web) > 40 {
		t.Errorf("the web servers saw %d requests for %s, want 40 at most:\n%s",
			len(web), domain, strings.Join(web, "\n"))
	}
	if len(dns) > 60 {
		t.Errorf("the name servers saw %d questions for %s, want 60 at most:\n%s",
			len(dns), domain, strings.Join(dns, "\n"))
	}
	connections := 0
	for _, line := range mailLines("")[mails:] {
		if strings.Contains(line, " connect from ") || strings.Contains(line, "-login: Info: ") {
			connections++
		}
		if strings.Contains(line, "sasl_") || strings.Contains(line, " auth=") || strings.Contains(line, " mail=") ||
			strings.Contains(line, "Info: Login:") || strings.Contains(line, "auth failed") {
			t.Errorf("the doctor signs in or sends: %s", line)
		}
	}
	if connections > 12 || connections == 0 {
		t.Errorf("the mail servers saw %d connections for %s, want 1 to 12:\n%s", connections, domain,
			strings.Join(mailLines("")[mails:], "\n"))
	}
	t.Logf("a healthy domain: %.1f s, %d web requests, %d DNS questions, %d mail connections", d.Seconds,
		len(web), len(dns), connections)
}
