package packaging

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// onIPv6 fills a line of a configuration with the port of an address at loopback's IPv6 address.
func onIPv6(format, address string) string {
	_, port, _ := net.SplitHostPort(address)
	return strings.Replace(format, "%s", net.JoinHostPort("::1", port), 1)
}

// checkIPv6 asks the proxy by IPv6, with TLS and without.
func (p *proxied) checkIPv6(t *testing.T) {
	t.Helper()
	for scheme, address := range map[string]string{"http": p.http, "https": p.https} {
		url := scheme + "://" + onIPv6("%s", address) + "/mail/config-v1.1.xml"
		status, _, body := p.from(t, "::1", request{"GET", url, "autoconfig.domain.se", "", nil})
		if status != 200 || !strings.Contains(body, "imap.domain.se") {
			t.Errorf("%s: got %d %s, want 200", url, status, body)
		}
	}
}

// TestHAProxy runs Debian's HAProxy with haproxy.cfg: it serves IPv4 and IPv6, and Signpost counts
// the requests of each client.
func TestHAProxy(t *testing.T) {
	haproxy := tool(t, "haproxy", "/usr/sbin/haproxy")
	directory := shortDir(t)
	p := &proxied{http: freeAddress(t), https: freeAddress(t), behind: freeAddress(t), admin: freeAddress(t)}
	writeFile(t, directory, "signpost.yaml", fmt.Sprintf(`listen: %s
admin: {listen: "%s"}
trustedProxies: [%s]
proxyProtocol: true
limits: {requests: 1, burst: 2}
providers:
  - id: example
    displayName: Mail
    domains: [domain.se]
    servers:
      - {type: imap, hostname: imap.domain.se, port: 993}
      - {type: smtp, hostname: smtp.domain.se, port: 465}
`, p.behind, p.admin, proxyHost))
	startProgram(t, exec.Command(signpost(t), "serve", "-config", directory+"/signpost.yaml"))
	await(t, p.behind, p.admin)

	port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
	check := " send-proxy-v2 check port " + port(p.admin) + " inter 100ms fall 1 rise 1\n"
	const example = " send-proxy-v2 check port 9480 inter 1s fall 1 rise 1\n"
	writeFile(t, directory, "haproxy.cfg", published(t, "haproxy.cfg",
		"bind :::80 ", "bind :::"+port(p.http)+" ",
		"bind :::443 ", "bind :::"+port(p.https)+" ",
		"  server m1 192.0.2.11:80"+example, "  server m1 "+p.behind+check,
		"  server m2 192.0.2.12:80"+example, "",
		"  server m1 192.0.2.11:443"+example, "  server m1 "+p.behind+check,
		"  server m2 192.0.2.12:443"+example, "",
	))
	startProgram(t, exec.Command(haproxy, "-db", "-f", directory+"/haproxy.cfg"))
	await(t, p.http, p.https)
	time.Sleep(300 * time.Millisecond) // HAProxy asks the machine
	for _, row := range []struct{ from, to string }{
		{client, p.http}, {victim, p.http}, {"::1", onIPv6("%s", p.http)},
	} {
		var got []int
		for range 10 { // until it is refused
			url := "http://" + row.to + "/mail/config-v1.1.xml"
			status, _, _ := p.from(t, row.from, request{"GET", url, "autoconfig.domain.se", "", nil})
			if got = append(got, status); status != 200 {
				break
			}
		}
		if len(got) < 3 || got[len(got)-1] != 429 {
			t.Errorf("the client %s gets %d, want 200 twice or more, and then 429", row.from, got)
		}
	}
}
