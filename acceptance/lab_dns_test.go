package acceptance

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The name servers of the laboratory: the resolver of all clients, which has most zones
// itself, and a server that only answers for signed zones, which the resolver validates.
const (
	labResolver = dnsIP
	labSigned   = "127.0.0.2"
)

// zoneFile returns a zone with its records.
func zoneFile(zone, server string, records []string) string {
	return fmt.Sprintf("$TTL 60\n%s 60 IN SOA ns1.%[1]s postmaster.%[1]s 1 3600 600 86400 60\n"+
		"%[1]s 60 IN NS ns1.%[1]s\nns1.%[1]s 60 IN A %s\n%s\n", zone, server, strings.Join(records, "\n"))
}

// rndcKey writes the key by which the servers are controlled, and returns its file.
func rndcKey(t *testing.T) string {
	return writeFile(t, "rndc.key", `key "rndc-key" { algorithm hmac-sha256; secret "c2lnbnBvc3QgbGFib3JhdG9yeQ=="; };`)
}

// rndc gives a command to the server at an address.
func rndc(t *testing.T, ip string, command ...string) {
	t.Helper()
	args := append([]string{"-s", ip, "-k", rndcKey(t)}, command...)
	if out, err := exec.Command("rndc", args...).CombinedOutput(); err != nil {
		t.Fatalf("rndc %v: %v: %s", command, err, out)
	}
}

// startNamed starts BIND on an address.
func startNamed(t *testing.T, name, ip, options, zones string) {
	t.Helper()
	dir := filepath.Join(work, name)
	conf := writeFile(t, name+"/named.conf", fmt.Sprintf(`
options {
  directory %[1]q; pid-file none; session-keyfile none; listen-on port 53 { %[2]s; }; listen-on-v6 { none; };
  notify no; empty-zones-enable no; minimal-responses no-auth; querylog yes; servfail-ttl 0;
  %[4]s
};
include %[3]q;
controls { inet %[2]s port 953 allow { any; } keys { "rndc-key"; }; };
logging {
  channel file { file "named.log"; severity info; };
  category default { file; };
  category queries { file; };
};
%[5]s`, dir, ip, rndcKey(t), options, zones))
	log := &lines{}
	cmd := exec.Command("named", "-f", "-c", conf)
	cmd.Stdout, cmd.Stderr = log, log
	ended := run(t, cmd)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		query := new(dns.Msg)
		query.SetQuestion("ready.invalid.", dns.TypeA)
		if _, _, err := new(dns.Client).Exchange(query, net.JoinHostPort(ip, "53")); err == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("named has ended:\n%s\n%s", log, logText(filepath.Join(dir, "named.log")))
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("named does not answer:\n%s", log)
		}
	}
}

// startZones serves the zones. Signed zones go to a server of their own; their value
// says how long ago the signatures ended, or how long they will last if negative.
func startZones(t *testing.T, zones map[string][]string, signed map[string]time.Duration) {
	t.Helper()
	var clauses, anchors, stubs strings.Builder
	for zone, records := range zones {
		if _, ok := signed[zone]; ok {
			continue
		}
		file := writeFile(t, "resolver/"+zone+"zone", zoneFile(zone, labResolver, records))
		fmt.Fprintf(&clauses, "zone %q { type primary; file %q; check-names ignore; allow-update { 127.0.0.1; }; };\n",
			zone, file)
	}
	var own strings.Builder
	for zone, ago := range signed {
		file, anchor := signZone(t, zone, zoneFile(zone, labSigned, zones[zone]), ago)
		fmt.Fprintf(&own, "zone %q { type primary; file %q; };\n", zone, file)
		fmt.Fprintf(&anchors, "%s\n", anchor)
		fmt.Fprintf(&stubs, "zone %q { type static-stub; server-addresses { %s; }; };\n", zone, labSigned)
	}
	startNamed(t, "signed", labSigned, "recursion no; dnssec-validation no;", own.String())
	startNamed(t, "resolver", labResolver, "recursion yes; allow-recursion { any; }; dnssec-validation yes;",
		"trust-anchors {\n"+anchors.String()+"};\n"+stubs.String()+clauses.String())
}

// signZone signs a zone and returns its file and its trust anchor.
func signZone(t *testing.T, zone, text string, ago time.Duration) (file, anchor string) {
	t.Helper()
	dir := filepath.Join(work, "signed")
	file = writeFile(t, "signed/"+zone+"zone", text)
	key, err := exec.Command("dnssec-keygen", "-K", dir, "-a", "ECDSAP256SHA256", "-f", "KSK", zone).Output()
	if err != nil {
		t.Fatalf("dnssec-keygen: %v", err)
	}
	sign := exec.Command("dnssec-signzone", "-S", "-z", "-P", "-K", dir, "-d", dir, "-o", zone,
		"-s", time.Now().Add(-60*24*time.Hour).UTC().Format("20060102150405"),
		"-e", time.Now().Add(-ago).UTC().Format("20060102150405"), file)
	if out, err := sign.CombinedOutput(); err != nil {
		t.Fatalf("dnssec-signzone: %v: %s", err, out)
	}
	for line := range strings.Lines(logText(filepath.Join(dir, strings.TrimSpace(string(key))+".key"))) {
		if fields := strings.Fields(line); len(fields) > 6 && fields[2] == "DNSKEY" {
			anchor = fmt.Sprintf("%q static-key %s %s %s %q;", zone, fields[3], fields[4], fields[5],
				strings.Join(fields[6:], ""))
		}
	}
	if anchor == "" {
		t.Fatalf("no key of %s", zone)
	}
	return file + ".signed", anchor
}

// update removes and adds records of a zone, as RFC 2136 describes.
func update(t *testing.T, zone string, remove, add []string) {
	t.Helper()
	m := new(dns.Msg)
	m.SetUpdate(zone)
	for _, part := range []struct {
		lines []string
		edit  func([]dns.RR)
	}{{remove, m.Remove}, {add, m.Insert}} {
		for _, line := range part.lines {
			rr, err := dns.NewRR(line)
			if err != nil {
				t.Fatalf("the record %q of a cure: %v", line, err)
			}
			part.edit([]dns.RR{rr})
		}
	}
	answer, _, err := (&dns.Client{Net: "tcp"}).Exchange(m, labResolver+":53")
	if err != nil || answer.Rcode != dns.RcodeSuccess {
		t.Fatalf("updating %s: %v, %v\nremove %v\nadd %v", zone, err, answer, remove, add)
	}
}

// questions lists the questions about a domain, or about all, that the servers were asked.
func questions(domain string) []string {
	var all []string
	for _, server := range []string{"resolver", "signed"} {
		for line := range strings.Lines(logText(filepath.Join(work, server, "named.log"))) {
			_, query, ok := strings.Cut(line, " query: ")
			if name, rest, _ := strings.Cut(query, " IN "); ok && (domain == "" || name == domain ||
				strings.HasSuffix(name, "."+domain)) {
				kind, _, _ := strings.Cut(rest, " ")
				all = append(all, kind+" "+name)
			}
		}
	}
	return all
}
