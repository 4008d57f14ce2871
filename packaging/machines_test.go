package packaging

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestTwoMachines restarts two machines behind nginx and behind Caddy, one after the other, under
// load: no request fails. When one is killed, requests fail until the proxy knows: with nginx those
// in flight, with Caddy for a second.
func TestTwoMachines(t *testing.T) {
	for name, start := range map[string]func(*proxied, *testing.T, string, ...string) func() string{
		"nginx": (*proxied).startNginx, "Caddy": (*proxied).startCaddy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := shortDir(t)
			p := &proxied{http: freeAddress(t), https: freeAddress(t), behind: freeAddress(t), admin: freeAddress(t)}
			machines := []*machine{p.startMachine(t, directory, 1), p.startMachine(t, directory, 2)}
			start(p, t, directory, machines[0].address, machines[1].address)
			await(t, p.https)
			l := p.load(8)
			defer l.stop()
			for _, m := range machines {
				time.Sleep(300 * time.Millisecond)
				m.end(syscall.SIGTERM)
				m.run(t)
				time.Sleep(1500 * time.Millisecond) // until the proxy asks it again
			}
			answered, failed := l.counts()
			if failed != 0 || answered < 100 {
				t.Errorf("while the machines were restarted %d requests were answered and %d failed: %v; want none to fail",
					answered, failed, l.problem.Load())
			}
			machines[1].end(syscall.SIGKILL)
			time.Sleep(2 * time.Second)
			_, soon := l.counts()
			if name == "nginx" && soon-failed > int64(l.clients) {
				t.Errorf("when a machine was killed %d requests failed, want at most the %d in flight: %v",
					soon-failed, l.clients, l.problem.Load())
			}
			time.Sleep(500 * time.Millisecond)
			all, later := l.counts()
			if later != soon {
				t.Errorf("%d requests failed 2 s after a machine was killed: %v", later-soon, l.problem.Load())
			}
			t.Logf("%d requests were answered during restarts, %d later; %d failed when a machine was killed",
				answered, all-answered, later-failed)
		})
	}
}

// machine is one of several machines behind a proxy.
type machine struct {
	address, admin, config string
	cmd                    *exec.Cmd
}

// startMachine starts a machine at an address of its own, with the ports that the proxy knows.
func (p *proxied) startMachine(t *testing.T, directory string, number int) *machine {
	t.Helper()
	at := func(address string) string {
		_, port, _ := net.SplitHostPort(address)
		return fmt.Sprintf("127.0.0.%d:%s", 10+number, port)
	}
	m := &machine{address: at(p.behind), admin: at(p.admin), config: fmt.Sprintf("machine%d.yaml", number)}
	writeFile(t, directory, m.config, fmt.Sprintf(`listen: %s
admin: {listen: "%s"}
trustedProxies: [%s]
limits: {requests: 0, drain: 2s}
providers:
  - id: example
    displayName: Mail
    domains: [domain.se]
    servers:
      - {type: imap, hostname: imap.domain.se, port: 993}
      - {type: smtp, hostname: smtp.domain.se, port: 465}
`, m.address, m.admin, proxyHost))
	m.config = directory + "/" + m.config
	m.run(t)
	return m
}

func (m *machine) run(t *testing.T) {
	t.Helper()
	m.cmd = exec.Command(signpost(t), "serve", "-config", m.config)
	startProgram(t, m.cmd)
	await(t, m.address, m.admin)
}

func (m *machine) end(signal syscall.Signal) {
	m.cmd.Process.Signal(signal)
	m.cmd.Process.Wait()
}

// load is clients that ask a proxy without a pause.
type load struct {
	clients          int
	answered, failed atomic.Int64
	problem          atomic.Value // the last failure, a text
	ended            chan struct{}
	group            sync.WaitGroup
}

// load begins to ask: every other client as Outlook does, with a body.
func (p *proxied) load(clients int) *load {
	l := &load{clients: clients, ended: make(chan struct{})}
	for i := range clients {
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: p.ca, InsecureSkipVerify: p.ca == nil, ServerName: "autodiscover.domain.se"}}}
		l.group.Go(func() {
			for {
				select {
				case <-l.ended:
					return
				case <-time.After(10 * time.Millisecond):
				}
				if err := p.askOnce(client, i%2 == 0); err != nil {
					l.problem.Store(err.Error())
					l.failed.Add(1)
				} else {
					l.answered.Add(1)
				}
			}
		})
	}
	return l
}

func (p *proxied) askOnce(client *http.Client, asOutlook bool) error {
	method, path, body := "GET", "/mail/config-v1.1.xml?emailaddress=info@domain.se", ""
	if asOutlook {
		method, path, body = "POST", "/autodiscover/autodiscover.xml", outlook
	}
	request, err := http.NewRequest(method, "https://"+p.https+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Host = "autodiscover.domain.se"
	request.Header.Set("Content-Type", "text/xml")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", method, response.StatusCode)
	}
	return nil
}

func (l *load) counts() (answered, failed int64) { return l.answered.Load(), l.failed.Load() }

func (l *load) stop() {
	close(l.ended)
	l.group.Wait()
}
