package finding

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
	"signpost/internal/records"
)

// Case is what a rule looks at.
type Case struct {
	Address account.Address
	// Asker holds what was asked. A rule may ask more.
	Asker     *probe.Recording
	Clients   []client.Client            // whose forecasts are wanted
	Forecasts map[string]client.Forecast // by client ID
	// Own is what the service on this machine has for the address; nil if the domain is not its
	// own, or if that cannot be known now.
	Own *account.Settings
	// Failed is called with the ID of a fault whose rule panicked, which says nothing of the
	// domain; nil if nobody wants to know.
	Failed func(id string)

	readings readings
}

// Domain returns the domain of the address.
func (c *Case) Domain() string { return c.Address.Domain() }

// Name returns the name of a label, such as "autoconfig", below the domain.
func (c *Case) Name(label string) string { return label + "." + c.Domain() }

// Expect lets questions be asked at once whose answers are wanted later.
func (c *Case) Expect(ctx context.Context, questions ...any) {
	(&client.Search{Asker: c.Asker}).Expect(ctx, questions...)
}

// DNS asks the resolver for the records of a name.
func (c *Case) DNS(ctx context.Context, name, recordType string) probe.DNSAnswer {
	return c.Asker.DNS(ctx, probe.DNSQuestion{Name: name, Type: recordType})
}

// Records returns the records of the type that the resolver has for a name, none if it gives no answer.
func (c *Case) Records(ctx context.Context, name, recordType string) []dns.Record {
	return c.DNS(ctx, name, recordType).OfType(recordType)
}

// Addresses returns the A and AAAA records of a host. Known is false if neither question was
// answered, so that the host may have addresses all the same.
func (c *Case) Addresses(ctx context.Context, host string) (addresses []dns.Record, known bool) {
	c.Expect(ctx, probe.DNSQuestion{Name: host, Type: "AAAA"})
	for _, recordType := range []string{"A", "AAAA"} {
		answer := c.DNS(ctx, host, recordType)
		known = known || answer.Failure == nil
		addresses = append(addresses, answer.OfType(recordType)...)
	}
	return addresses, known
}

// Wildcard is the question for a name that no domain has: an answer comes from a wildcard.
func (c *Case) Wildcard(recordType string) probe.DNSQuestion {
	return probe.DNSQuestion{Name: c.Name(records.WildcardProbe), Type: recordType}
}

// MX is a host that receives the domain's mail.
type MX struct {
	Host       string
	Preference int
}

// MX returns the hosts that receive the domain's mail, the preferred ones first. A null MX (RFC
// 7505) has an empty Host. Known is false if DNS gave no answer.
func (c *Case) MX(ctx context.Context) (hosts []MX, known bool) {
	answer := c.DNS(ctx, c.Domain(), "MX")
	for _, r := range answer.OfType("MX") {
		if preference, host, ok := strings.Cut(r.Data, " "); ok {
			n, _ := strconv.Atoi(preference)
			hosts = append(hosts, MX{strings.ToLower(strings.TrimSuffix(host, ".")), n})
		}
	}
	slices.SortStableFunc(hosts, func(a, b MX) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), strings.Compare(a.Host, b.Host))
	})
	return hosts, answer.Failure == nil
}

// Provider returns the registered domain of whoever receives the domain's mail, such as
// "hoster.example", by the preferred MX host. It is empty if the domain receives no mail or DNS gave no
// answer.
func (c *Case) Provider(ctx context.Context) string {
	hosts, _ := c.MX(ctx)
	if len(hosts) == 0 || hosts[0].Host == "" {
		return ""
	}
	return dns.Registrable(hosts[0].Host)
}

// SRV is a service record.
type SRV struct {
	dns.Record
	Priority, Weight, Port int
	Target                 string // without the final dot; empty if there is no such service
}

// SRV returns the service records of a label, such as "_imaps._tcp", below the domain, in the
// order of the answer. Known is false if DNS gave no answer.
func (c *Case) SRV(ctx context.Context, label string) (found []SRV, known bool) {
	answer := c.DNS(ctx, c.Name(label), "SRV")
	for _, r := range answer.OfType("SRV") {
		fields := strings.Fields(r.Data)
		if len(fields) != 4 {
			continue
		}
		s := SRV{Record: r, Target: strings.ToLower(strings.TrimSuffix(fields[3], "."))}
		s.Priority, _ = strconv.Atoi(fields[0])
		s.Weight, _ = strconv.Atoi(fields[1])
		s.Port, _ = strconv.Atoi(fields[2])
		found = append(found, s)
	}
	return found, answer.Failure == nil
}

// mailServices are the services of mail that SRV records announce (RFC 6186 §3, RFC 8314 §5.1).
var mailServices = []struct {
	Label      string
	Type       account.ServerType
	SocketType account.SocketType
}{
	{"_imaps._tcp", account.IMAP, account.SSL},
	{"_imap._tcp", account.IMAP, account.STARTTLS},
	{"_pop3s._tcp", account.POP3, account.SSL},
	{"_pop3._tcp", account.POP3, account.STARTTLS},
	{"_submissions._tcp", account.SMTP, account.SSL},
	{"_submission._tcp", account.SMTP, account.STARTTLS},
}
