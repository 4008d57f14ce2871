package finding

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/doctor/mailrig"
	"signpost/internal/doctor/probe"
	"signpost/internal/doctor/probe/network"
)

// realMail is a world whose mail servers are Dovecot and Postfix: ports has the real port in
// place of each usual one.
type realMail struct {
	*world
	network *network.Network
	ports   map[int]int
}

var rigAddress = netip.MustParseAddr(mailrig.Address)

// Mail implements probe.Asker.
func (w *realMail) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	q.Port, q.Address = w.ports[q.Port], rigAddress
	return w.network.Mail(ctx, q)
}

// TLS implements probe.Asker.
func (w *realMail) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	q.Port, q.Address = w.ports[q.Port], rigAddress
	return w.network.TLS(ctx, q)
}

// TestRealServers holds that exactly the mistakes in the settings of real servers are found.
func TestRealServers(t *testing.T) {
	servers := mailrig.Start(t)
	for _, row := range []struct {
		name  string
		ports map[int]int // that differ from the healthy ones
		want  string
	}{
		{"healthy", nil, ""},
		{"nothing listens", map[int]int{995: 1024}, "M1: 995 of mail.hoster.example refuses the connection."},
		{"Dovecot with ssl = no", map[int]int{143: servers.IMAPWithoutTLS}, "M2: 143 of mail.hoster.example offers no STARTTLS"},
		{"Postfix with smtpd_tls_security_level = none", map[int]int{587: servers.SubmissionWithoutTLS},
			"M2: 587 of mail.hoster.example offers no STARTTLS"},
		{"Postfix without smtpd_tls_wrappermode", map[int]int{465: servers.SMTPSInClear},
			"M3: 465 of mail.hoster.example starts in clear text"},
		{"Postfix without SASL", map[int]int{587: servers.SubmissionWithoutLogin},
			"M4: 587 of mail.hoster.example offers no login, not even after STARTTLS"},
		{"Dovecot with auth_mechanisms = cram-md5", map[int]int{993: servers.IMAPCRAM},
			"M6: 993 of mail.hoster.example offers no login with the password itself, only CRAM-MD5"},
		{"Postfix with TLS 1.1", map[int]int{465: servers.SMTPSOldTLS}, "T5: 465 of mail.hoster.example speaks TLS 1.1 at most"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n, err := network.New(network.Options{Servers: []string{"127.0.0.1:1"}, Private: true,
				Roots: servers.Roots})
			if err != nil {
				t.Fatal(err)
			}
			w := &realMail{&world{records: map[probe.DNSQuestion][]string{}}, n,
				map[int]int{993: servers.IMAPS, 143: servers.IMAP,
					995: servers.POP3S, 110: servers.POP3, 465: servers.SMTPS, 587: servers.Submission}}
			for usual, port := range row.ports {
				w.ports[usual] = port
			}
			for _, service := range mailServices {
				port := account.DefaultPort(service.Type, service.SocketType)
				w.record(service.Label+".nordlys.example", "SRV", fmt.Sprintf("0 1 %d %s.", port, mailrig.Host))
			}
			address, err := account.ParseAddress("anna@nordlys.example")
			if err != nil {
				t.Fatal(err)
			}
			c := &Case{Address: address, Asker: probe.NewRecording(w)}
			var got []string
			for _, f := range find(t.Context(), c, slices.Concat(tlsFaults, mailFaults)) {
				got = append(got, f.ID+": "+f.Sentence)
			}
			if all := strings.Join(got, "\n"); len(got) > 1 || !strings.HasPrefix(all, row.want) ||
				(all == "") != (row.want == "") {
				t.Errorf("found\n%s\nwant\n%s", all, row.want)
			}
		})
	}
}
