package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// foreignMX finds D16: the document of the MX host names other servers than the domain does
// in the other places, and it has no document of its own that would come first.
func foreignMX(ctx context.Context, c *Case) []Finding {
	provider := c.Provider(ctx)
	own := c.ownHosts(ctx)
	if provider == "" || provider == siteOf(c.Domain()) || len(own) == 0 {
		return nil
	}
	var f Finding
	for _, d := range c.Documents() {
		if d.Format != Autoconfig {
			continue
		}
		if c.isOwn(d.Host) {
			return nil
		}
		if siteOf(d.Host) != provider {
			continue
		}
		for _, s := range d.Servers {
			if !isMail(s.Type) {
				continue
			}
			isSame := func(host string) bool {
				return host == strings.ToLower(s.Hostname) || siteOf(host) == provider && siteOf(s.Hostname) == provider
			}
			if slices.ContainsFunc(own, isSame) {
				return nil
			}
			f.Evidence = append(f.Evidence, See(d.Question, "%s says %s", d.Host, s.Hostname))
		}
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	hosts, _ := c.MX(ctx)
	f.Sentence = fmt.Sprintf("By the MX %s, clients find the settings of %s, but the mailboxes of %s are at %s.",
		hosts[0].Host, provider, c.Domain(), own[0])
	f.Explains = []string{"D1", "C16", "D17"}
	f.Cures = []Cure{c.pointTo(ctx, siteOf(own[0]))}
	f.Clients = c.led(f.Evidence)
	return []Finding{f}
}

// pointTo returns the cure that lets the names that are missing lead to those of a provider,
// with the records if it has such names.
func (c *Case) pointTo(ctx context.Context, provider string) Cure {
	cure := Cure{Who: YourDNS, Text: fmt.Sprintf("let %s lead to a server that has the document of %s",
		c.Name("autoconfig"), c.Domain())}
	for _, label := range []string{"autoconfig", "autodiscover"} {
		target := label + "." + provider
		if provider == siteOf(c.Domain()) || !c.isMissing(ctx, label) {
			continue
		}
		if addresses, _ := c.Addresses(ctx, target); len(addresses) > 0 {
			cure.Put = append(cure.Put, put(c.Name(label), "CNAME", target+"."))
			cure.Text = fmt.Sprintf("let %s lead to %s", list(ownersOf(cure.Put)), provider)
		}
	}
	return cure
}

// led returns the clients that took their settings from one of the answers.
func (c *Case) led(evidence []Evidence) []string {
	ids := []string{}
	for _, k := range c.Clients {
		if slices.ContainsFunc(c.Forecasts[k.ID].Steps, func(s client.Step) bool {
			return s.Verdict != client.Passed &&
				slices.ContainsFunc(evidence, func(e Evidence) bool { return e.Key == s.Key })
		}) {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// idleMX finds D17.
func idleMX(ctx context.Context, c *Case) []Finding {
	hosts, _ := c.MX(ctx)
	if len(hosts) == 0 || hosts[0].Host == "" || c.hasDocument(ctx, Autoconfig) {
		return nil
	}
	host, why := hosts[0].Host, ""
	switch {
	case host == c.Domain():
		why = "is the domain itself"
	case !strings.Contains(host, "."):
		why = "has one label only"
	default:
		return nil
	}
	q := probe.DNSQuestion{Name: c.Domain(), Type: "MX"}
	return []Finding{{
		Sentence: fmt.Sprintf("The MX host %s %s, so it leads clients to no further place.", host, why),
		Evidence: []Evidence{See(q, "MX %s", host)},
		Cures:    c.point(ctx, c.Name("autoconfig")),
	}}
}

// noMail finds D18.
func noMail(ctx context.Context, c *Case) []Finding {
	q := probe.DNSQuestion{Name: c.Domain(), Type: "MX"}
	answer := c.Asker.DNS(ctx, q)
	if answer.Failure != nil || answer.Status == dns.Found && len(answer.OfType("MX")) > 0 && !isNullMX(answer) {
		return nil
	}
	f := Finding{Cures: []Cure{{Who: ThePerson, Text: "is the address spelt right?"}}}
	switch {
	case answer.Status == dns.NoName && len(answer.Records) == 0:
		f.Sentence = c.Domain() + " does not exist."
		f.Evidence = []Evidence{See(q, "NXDOMAIN")}
		f.Explains = []string{"*"}
		f.Cures = append(f.Cures, Cure{Who: YourDNS, Text: "register the domain, or mend its delegation"})
	case isNullMX(answer):
		f.Sentence = c.Domain() + " says that it receives no mail."
		f.Evidence = []Evidence{See(q, "MX 0 . (RFC 7505)")}
		f.Explains = []string{"*"}
		f.Cures = append(f.Cures, Cure{Who: YourDNS, Text: "replace the record by the MX of your mail provider"})
	default:
		addresses, known := c.Addresses(ctx, c.Domain())
		if !known {
			return nil
		}
		f.Evidence = []Evidence{See(q, "no MX")}
		f.Cures = append(f.Cures, Cure{Who: YourDNS, Text: "put the MX record of your mail provider"})
		if len(addresses) > 0 { // RFC 5321 §5.1
			f.Sentence = fmt.Sprintf("%s has no MX record: its mail goes to its web server.", c.Domain())
			f.Severity = Warning
			f.Explains = []string{"D17"}
			return []Finding{f}
		}
		f.Sentence = c.Domain() + " receives no mail: it has neither an MX record nor an address."
		f.Explains = []string{"*"}
	}
	f.Severity, f.Clients = Error, c.notSetUp()
	return []Finding{f}
}

func isNullMX(answer probe.DNSAnswer) bool {
	found := answer.OfType("MX")
	return len(found) == 1 && strings.HasSuffix(found[0].Data, " .")
}

// notSetUp returns the clients that do not set themselves up.
func (c *Case) notSetUp() []string {
	ids := []string{}
	for _, k := range c.Clients {
		if f, ok := c.Forecasts[k.ID]; ok && f.Outcome != client.SetsUp {
			ids = append(ids, k.ID)
		}
	}
	return ids
}
