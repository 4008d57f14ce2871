package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// exchangeProgram is a program that speaks EWS. It prints an ewsAccount.
type exchangeProgram struct {
	name    string
	command []string // the address and the password follow
	how     []string // further arguments
	doctor  string   // the doctor's name for it, if it knows it
}

// exchangePrograms are the programs of the tests. exchangelib asks autodiscover.xml (pox) or
// autodiscover.svc (soap), as its user chooses; ews-javascript-api asks the latter, evolution-ews the former.
var exchangePrograms = []exchangeProgram{
	{"exchangelib POX", []string{"/usr/bin/python3", "testdata/ews/with_exchangelib.py"}, []string{"pox"}, ""},
	{"exchangelib SOAP", []string{"/usr/bin/python3", "testdata/ews/with_exchangelib.py"}, []string{"soap"}, "exchangelib"},
	{"ews-javascript-api", []string{"node", "testdata/ews/with_ewsjs.js"}, nil, "ews-javascript-api"},
	{"evolution-ews", []string{"/usr/bin/python3", "testdata/ews/with_evolution.py"}, nil, ""},
}

// ewsAccount is what a program has found and whether it could sign in there.
type ewsAccount struct {
	URL    string // of EWS
	Folder string // that was opened, or "signed in"
	Failed string // the program's error
}

// run lets the program find the EWS URL of anna and sign in.
func (p exchangeProgram) run(n *network) ewsAccount {
	n.t.Helper()
	args := slices.Concat(p.command[1:], []string{anna, password}, p.how)
	cmd := exec.Command(p.command[0], args...)
	// exchangelib remembers in a file where it found Autodiscover.
	home, err := os.MkdirTemp(work, "program")
	if err != nil {
		n.t.Fatal(err)
	}
	npm, err := filepath.Abs("../.artefacts/npm/node_modules")
	if err != nil {
		n.t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "NODE_PATH="+npm, "NODE_EXTRA_CA_CERTS="+n.ca.file,
		"NODE_NO_WARNINGS=1", "GIO_USE_PROXY_RESOLVER=dummy", "GSETTINGS_BACKEND=memory")
	var stderr lines
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	limit := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer limit.Stop()
	out, err := cmd.Output()
	var account ewsAccount
	if err != nil {
		n.t.Fatalf("%s: %v: %s%s", p.name, err, out, &stderr)
	}
	// evolution-ews prints, in its library, the requests that it could not send.
	text := strings.TrimSpace(string(out))
	text = text[strings.LastIndexByte(text, '\n')+1:]
	if err := json.Unmarshal([]byte(text), &account); err != nil {
		n.t.Fatalf("%s printed %s: %v", p.name, out, err)
	}
	return account
}

// exchangeHoster returns a configuration with more lines for the provider, more servers, and an EWS server at
// last, since Thunderbird selects the first server of autoconfig.
func exchangeHoster(provider string, servers ...string) string {
	return fmt.Sprintf(`
name: setup.hoster.example
admin: {listen: none}
providers:
  - id: exchange
    displayName: Hoster Exchange
    %s
    servers:
%s      - {type: ews, url: %q, exchangeEntries: true}
`, provider, strings.Join(servers, ""), ewsURL)
}

// exchangeWay is one way in which the programs come to Signpost.
type exchangeWay struct {
	name string
	hosting
	unknown []string // the programs that find nothing in this way
	doctor  bool     // whether the doctor forecasts what the programs find
}

// exchangeDomain is a hoster of firma.example, in whose DNS is what matches entered, and more.
func exchangeDomain(entered, more string, names ...string) hosting {
	return hosting{config: exchangeHoster(hostsFirma), control: exchangeHoster(hostsAnother),
		domain: "firma.example", entered: entered, more: more, names: names}
}

// withoutEntries is a hoster whose autodiscover.xml does not name the server.
func (h hosting) withoutEntries() hosting {
	h.config = strings.ReplaceAll(h.config, ", exchangeEntries: true", "")
	return h
}

var exchangeWays = []exchangeWay{
	{name: "domain", hosting: exchangeDomain(`^$`, "firma.example. 60 IN A "+serviceIP, "firma.example")},
	{name: "autodiscover", hosting: exchangeDomain(`^autodiscover\.`, "", "autodiscover.firma.example")},
	{name: "SRV", hosting: exchangeDomain(`^_autodiscover\._tcp\.`, "")},
	// The hoster has no certificate for the customer's name. evolution-ews asks https alone.
	{name: "http redirect", hosting: exchangeDomain(`^autodiscover\.`, ""), unknown: []string{"evolution-ews"}, doctor: true},
	{
		name:    "autodiscover without entries",
		hosting: exchangeDomain(`^autodiscover\.`, "", "autodiscover.firma.example").withoutEntries(),
		unknown: []string{"exchangelib POX", "evolution-ews"}, // they ask autodiscover.xml alone
	},
}

// exchangeNeeds are the programs for a test with EWS programs.
var exchangeNeeds = []string{"node", "dovecot", "postfix", "mount"}

// needExchange is need for the programs, two of which are libraries.
func needExchange(t *testing.T) {
	t.Helper()
	need(t, exchangeNeeds...)
	for file, name := range map[string]string{
		"/usr/lib/python3/dist-packages/exchangelib":        "python3-exchangelib",
		"/usr/lib/evolution-ews/libevolution-ews.so":        "evolution-ews",
		"../.artefacts/npm/node_modules/ews-javascript-api": "ews-javascript-api",
	} {
		if _, err := os.Stat(file); err != nil {
			skipOrFail(t, "not installed: %s", name)
		}
	}
}

// startExchange starts everything and the EWS server.
func (h hosting) startExchange(t *testing.T, boxes ...mailbox) (*network, *ewsServer) {
	t.Helper()
	h.more += "\n" + ewsHost + ". 60 IN A " + ewsIP
	n := h.start(t, boxes...)
	server := &ewsServer{login: anna}
	(&site{n.journal, "EWS", server}).serve(t, ewsIP, n.ca.load("ews", ewsHost))
	// The libraries have no setting of their own for authorities.
	mount := exec.Command("mount", "--bind", n.ca.file, "/etc/ssl/certs/ca-certificates.crt")
	if out, err := mount.CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	return n, server
}

// TestExchangePrograms lets each program find the EWS URL in each way and sign in there. In the same network
// none finds it as long as Signpost does not host the domain.
func TestExchangePrograms(t *testing.T) {
	needExchange(t)
	for _, way := range exchangeWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			closed(t, way.test)
		})
	}
}

func (w exchangeWay) test(t *testing.T) {
	n, server := w.startExchange(t)
	for _, p := range exchangePrograms {
		if account := p.run(n); account.URL != "" {
			t.Errorf("%s found %s although Signpost does not host the domain", p.name, account.URL)
		}
	}
	n.serve()
	told := map[string]string{}
	if w.doctor {
		told = exchangeForecasts(t)
	}
	for _, p := range exchangePrograms {
		n.mark = len(n.all())
		account := p.run(n)
		if url, known := told[p.doctor]; w.doctor && p.doctor != "" && (!known || url != account.URL) {
			t.Errorf("%s found %q, and the doctor says %q", p.name, account.URL, url)
		}
		signedIn := server.signedIn()
		t.Logf("%s: %+v %v\n\t%s", p.name, account, signedIn, strings.Join(n.requests(), "\n\t"))
		if slices.Contains(w.unknown, p.name) {
			if account.URL != "" {
				t.Errorf("%s found %s, want nothing", p.name, account.URL)
			}
			continue
		}
		if account.URL != ewsURL {
			t.Errorf("%s found %q (%s), want %s; its requests: %s", p.name, account.URL, account.Failed, ewsURL,
				strings.Join(n.requests(), ", "))
		} else if account.Folder == "" || len(signedIn) == 0 {
			t.Errorf("%s did not sign in at %s: %s", p.name, ewsURL, account.Failed)
		}
	}
}

// exchangeForecasts lets the doctor examine anna, and returns the EWS URL that it says each client finds.
func exchangeForecasts(t *testing.T) map[string]string {
	t.Helper()
	began := time.Now()
	cmd := exec.Command(os.Getenv(insideVariable), "doctor", "-json", "-private", "-real", "-resolver", dnsIP, anna)
	var problems lines
	cmd.Stderr = &problems
	limit := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer limit.Stop()
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: there are findings
		t.Fatalf("signpost doctor: %v\n%s", err, &problems)
	}
	var report struct {
		Clients []struct {
			Client  string
			Servers []struct{ URL string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("signpost doctor: %v\n%s", err, out)
	}
	t.Logf("the doctor took %.0f s", time.Since(began).Seconds())
	told := map[string]string{}
	for _, c := range report.Clients {
		told[c.Client] = ""
		for _, s := range c.Servers {
			told[c.Client] = s.URL
		}
	}
	return told
}

// asksIMAP are the requests of each program, with their answers, at a provider of IMAP.
var asksIMAP = map[string][]string{
	"exchangelib POX":  {"POST https://firma.example/Autodiscover/Autodiscover.xml → 200 Autodiscover"},
	"exchangelib SOAP": {"POST https://firma.example/autodiscover/autodiscover.svc → 404"},
	"ews-javascript-api": {
		"GET https://autodiscover.firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
		"GET https://firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
		"GET http://autodiscover.firma.example/autodiscover/autodiscover.xml → 302 " +
			"https://setup.hoster.example/autodiscover/autodiscover.xml",
		"GET https://setup.hoster.example/autodiscover/autodiscover.xml → 404",
	},
	"evolution-ews": { // all at once
		"POST https://autodiscover.firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
		"POST https://firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
		"POST https://setup.hoster.example/autodiscover/autodiscover.xml → 200 Autodiscover",
	},
}

// TestExchangeProgramsAndIMAP checks that Signpost tells the programs nothing new where the provider has IMAP
// and no EWS server: they find nothing, and say so at once.
func TestExchangeProgramsAndIMAP(t *testing.T) {
	needExchange(t)
	closed(t, func(t *testing.T) {
		n, _ := hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
			more:  "firma.example. 60 IN A " + serviceIP,
			names: []string{"firma.example", "autodiscover.firma.example"},
		}.startExchange(t)
		n.serve()
		for _, p := range exchangePrograms {
			n.mark = len(n.all())
			account := p.run(n)
			if account.URL != "" {
				t.Errorf("%s found %s where the provider has IMAP alone", p.name, account.URL)
			}
			asked := n.requests()
			slices.Sort(asked)
			want := slices.Sorted(slices.Values(asksIMAP[p.name]))
			if !slices.Equal(asked, want) {
				t.Errorf("%s asked, and was answered,\n%s\nwant\n%s", p.name, strings.Join(asked, "\n"),
					strings.Join(want, "\n"))
			}
		}
	})
}
