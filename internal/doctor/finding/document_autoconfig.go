package finding

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// usual is how TLS begins at the ports of mail.
var usual = map[int]account.SocketType{993: account.SSL, 995: account.SSL, 465: account.SSL,
	143: account.STARTTLS, 110: account.STARTTLS, 587: account.STARTTLS}

// portsAndSecurity finds C2. Where the server does as the document says, the port is only unusual.
func portsAndSecurity(ctx context.Context, c *Case) []Finding {
	questions := map[string]probe.MailQuestion{}
	found := c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, e := range f.mailSections() {
			port, _ := strconv.Atoi(strings.TrimSpace(e.Content("port")))
			said := account.SocketType(e.Content("socketType"))
			right, known := usual[port]
			if !known || said == right || said != account.SSL && said != account.STARTTLS && !(said == account.Plain &&
				right == account.SSL) {
				continue
			}
			host := strings.ToLower(strings.TrimSpace(account.Expand(e.Content("hostname"), c.Address)))
			q := probe.MailQuestion{Type: typeOf(e), Host: host, Port: port, SocketType: said}
			if a := c.Asker.Mail(ctx, q); a.Failure == nil && a.Greeting != "" && (said != account.STARTTLS ||
				a.TLS != nil) {
				continue
			}
			begins := "TLS begins at once"
			if right == account.STARTTLS {
				begins = "TLS begins with STARTTLS"
			}
			text := fmt.Sprintf("says %s for port %d of %s, where %s.", said, port, host, begins)
			questions[text] = q
			faults = append(faults, mistake{Line: e.Line, Text: text,
				Cure: fmt.Sprintf("write <socketType>%s</socketType> for port %d", right, port),
				Old:  portAndSecurity(e, said), New: portAndSecurity(e, right)})
		}
		return faults
	})
	for i := range found {
		for text, q := range questions {
			if strings.Contains(found[i].Sentence, text) {
				found[i].Evidence = append(found[i].Evidence, Evidence{q.Key(), saysMail(c.Asker.Mail(ctx, q))})
				found[i].Explains = append(found[i].Explains, at([]string{q.Host}, "M1", "M2", "M3", "M5", "M10")...)
			}
		}
	}
	return found
}

func saysMail(a probe.MailAnswer) string {
	if a.Failure != nil {
		return a.Failure.Text
	}
	return "no TLS"
}

// portAndSecurity returns the text of a section from its port to its security, for mending.
func portAndSecurity(e *document.Element, s account.SocketType) string {
	from, to := strings.Index(e.Raw, "<port>"), strings.Index(e.Raw, "</socketType>")
	if from < 0 || to < from {
		return ""
	}
	return strings.Replace(e.Raw[from:to], ">"+e.Content("socketType"), ">"+string(s), 1)
}

// securities finds C3.
func securities(_ context.Context, c *Case) []Finding {
	return c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, e := range f.mailSections() {
			s := e.Child("socketType")
			if s == nil {
				faults = append(faults, mistake{Line: e.Line,
					Text: "is a server without socketType, which Thunderbird drops.",
					Cure: "add <socketType>SSL</socketType> or STARTTLS"})
				continue
			}
			switch text := strings.TrimSpace(s.Text); account.SocketType(text) {
			case account.SSL, account.STARTTLS, account.Plain:
			default:
				port, _ := strconv.Atoi(strings.TrimSpace(e.Content("port")))
				right := account.SSL
				if usual[port] == account.STARTTLS {
					right = account.STARTTLS
				}
				faults = append(faults, mistake{Line: s.Line, Cure: fmt.Sprintf("write <socketType>%s</socketType>",
					right),
					Text: fmt.Sprintf("has the socketType %q, which does not exist: Thunderbird drops the server, "+
						"others guess what is meant.", text),
					Old: "<socketType>" + s.Raw + "</socketType>",
					New: "<socketType>" + string(right) + "</socketType>"})
			}
		}
		return faults
	})
}

// leaves are the elements of a section that hold a value.
var leaves = []string{"hostname", "port", "socketType", "username", "authentication"}

// dirtyValues finds C4.
func dirtyValues(_ context.Context, c *Case) []Finding {
	return c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, section := range f.mailSections() {
			for _, e := range section.Children {
				if why := dirty(section, e); why != "" {
					faults = append(faults, mistake{Line: e.Line,
						Text: fmt.Sprintf("has %s, which some clients take for a part of it.", why),
						Cure: fmt.Sprintf("write <%s>%s</%s>", e.Name, strings.TrimSpace(e.Text), e.Name),
						Old:  ">" + e.Raw + "</" + e.Name + ">",
						New:  ">" + strings.TrimSpace(e.Text) + "</" + e.Name + ">"})
				}
			}
		}
		return faults
	})
}

// dirty says what stands in an element besides its value. Thunderbird, Delta Chat and Thunderbird for
// Android trim host names. The draft has an attribute of authentication; then another follows
// without one.
func dirty(section, e *document.Element) string {
	if !slices.Contains(leaves, e.Name) || len(e.Children) > 0 {
		return ""
	}
	clean := func(o *document.Element) bool { return len(o.Attributes) == 0 }
	switch {
	case len(e.Attributes) > 0 && !(e.Name == "authentication" && slices.ContainsFunc(section.All(e.Name), clean)):
		return fmt.Sprintf("an attribute in <%s>", e.Name)
	case strings.Contains(e.Raw, "<![CDATA["):
		return fmt.Sprintf("a CDATA section in <%s>", e.Name)
	case e.Name != "hostname" && strings.TrimSpace(e.Text) != "" && strings.TrimSpace(e.Text) != e.Text:
		return fmt.Sprintf("white space around the value of <%s>", e.Name)
	}
	return ""
}

// emptyUsernames finds C5, in Autodiscover's answers as well.
func emptyUsernames(_ context.Context, c *Case) []Finding {
	found := c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, section := range f.mailSections() {
			e := section.Child("username")
			switch {
			case e == nil && needsUsername(section):
				faults = append(faults, mistake{Line: section.Line,
					Text: "is a server without a user name: Thunderbird signs in as “undefined”.",
					Cure: "add <username>%EMAILADDRESS%</username>"})
			case e != nil && strings.TrimSpace(e.Text) == "" && len(e.Children) == 0:
				faults = append(faults, mistake{Line: e.Line,
					Text: "has an empty user name: Thunderbird signs in as “true”.",
					Cure: "write <username>%EMAILADDRESS%</username>", Old: "<username/>",
					New: "<username>%EMAILADDRESS%</username>"})
			}
		}
		return faults
	})
	return append(found, c.byFile("Autodiscover", func(f file) []mistake {
		var faults []mistake
		for _, protocol := range f.protocols() {
			if e := protocol.Child("LoginName"); e != nil && strings.TrimSpace(e.Text) == "" {
				faults = append(faults, mistake{Line: e.Line,
					Text: "has an empty LoginName: Thunderbird signs in as “true” first.",
					Cure: "write the login, or leave LoginName out", Old: "<LoginName/>"})
			}
		}
		return faults
	})...)
}

func needsUsername(section *document.Element) bool {
	if section.Name == "incomingServer" {
		return true
	}
	first := section.Content("authentication")
	return first == "password-cleartext" || first == "password-encrypted" || first == "plain" || first == "secure"
}

var anyPlaceholder = regexp.MustCompile(`%[A-Z]+%?`)

// usernames finds C6.
func usernames(_ context.Context, c *Case) []Finding {
	known := []string{account.EmailAddress, account.EmailLocalPart, account.EmailDomain, "%REALNAME%"}
	return c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, section := range f.mailSections() {
			e := section.Child("username")
			if e == nil {
				continue
			}
			why := ""
			for _, p := range anyPlaceholder.FindAllString(e.Text, -1) {
				if !slices.Contains(known, p) && !percentCoded.MatchString(p) {
					why = fmt.Sprintf("has the placeholder %s, which no client knows", p)
				}
			}
			if m := percentCoded.FindString(e.Text); m != "" && why == "" {
				why = fmt.Sprintf("has a user name with %s in it, as URLs write it", m)
			}
			if why != "" {
				faults = append(faults, mistake{Line: e.Line, Text: why + ": clients sign in with it as it stands.",
					Cure: "write <username>%EMAILADDRESS%</username>, or the login itself",
					Old:  "<username>" + e.Raw + "</username>", New: "<username>%EMAILADDRESS%</username>"})
			}
		}
		return faults
	})
}

// percentCoded is an at sign, a dot, a plus or a percent sign in the spelling of URLs.
var percentCoded = regexp.MustCompile(`%(40|2[EeBb5])`)

// tooManyDomains is a number of domains with which a document tells strangers who is a customer.
const tooManyDomains = 100

// severalProviders finds C7.
func severalProviders(_ context.Context, c *Case) []Finding {
	found := c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		providers := f.xml.Root.All("emailProvider")
		if len(providers) > 1 {
			faults = append(faults, mistake{Line: providers[1].Line, Cure: "leave one emailProvider",
				Text: fmt.Sprintf("begins another emailProvider, of %d: Thunderbird takes the first, "+
					"Thunderbird for Android the last.", len(providers))})
		}
		for _, p := range providers {
			if domains := p.All("domain"); len(domains) > tooManyDomains {
				faults = append(faults, mistake{Line: p.Line,
					Cure: "list the domain that was asked about, or %EMAILDOMAIN%",
					Text: fmt.Sprintf("is a provider with %d domains, which tells everybody who its customers are.",
						len(domains))})
			}
		}
		return faults
	})
	for i := range found {
		found[i].Severity = Warning
	}
	return found
}

// identities finds C8.
func identities(_ context.Context, c *Case) []Finding {
	return c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, p := range f.xml.Root.All("emailProvider") {
			domains := p.All("domain")
			id, _ := p.Attribute("id")
			valid := slices.ContainsFunc(domains, func(e *document.Element) bool {
				return len(e.Attributes) == 0 && isHostname(e.Text)
			})
			switch {
			case !isHostname(id):
				faults = append(faults, mistake{Line: p.Line, Cure: fmt.Sprintf("write id=%q", c.Domain()),
					Text: fmt.Sprintf("has the id %q, which is no host name: Thunderbird rejects the whole document.",
						id),
					Old: `id="` + id + `"`, New: `id="` + c.Domain() + `"`})
			case len(domains) == 0:
				faults = append(faults, mistake{Line: p.Line, Cure: fmt.Sprintf("add <domain>%s</domain>", c.Domain()),
					Text: "is a provider without a domain: Thunderbird rejects the whole document."})
			case !valid:
				faults = append(faults, mistake{Line: domains[0].Line, Cure: fmt.Sprintf("write <domain>%s</domain>",
					c.Domain()),
					Text: fmt.Sprintf("has the domain %q, which is no host name: "+
						"Thunderbird rejects the whole document.", domains[0].Text),
					Old: "<domain>" + domains[0].Raw + "</domain>", New: "<domain>" + c.Domain() + "</domain>"})
			}
		}
		return faults
	})
}

// serverOrder finds C9. Two sending servers are no fault: each client takes one of them.
func serverOrder(_ context.Context, c *Case) []Finding {
	found := c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, p := range f.xml.Root.All("emailProvider") {
			incoming, outgoing := p.All("incomingServer"), p.All("outgoingServer")
			isIMAP := func(e *document.Element) bool { return typeOf(e) == account.IMAP }
			hasMail := slices.ContainsFunc(incoming, func(e *document.Element) bool { return isMail(typeOf(e)) })
			switch {
			case len(incoming) == 0:
				faults = append(faults, mistake{Line: p.Line,
					Text: "is a provider without an incoming server: clients stop there with nothing.",
					Cure: "add the servers, or answer 404"})
			case hasMail && !slices.ContainsFunc(outgoing,
				func(e *document.Element) bool { return typeOf(e) == account.SMTP }):
				faults = append(faults, mistake{Line: p.Line,
					Text: "is a provider without an outgoing server: Thunderbird rejects the whole document.",
					Cure: "add an outgoingServer of type smtp"})
			}
			if len(incoming) > 0 && typeOf(incoming[0]) == account.POP3 && slices.ContainsFunc(incoming, isIMAP) {
				faults = append(faults, mistake{Line: incoming[0].Line,
					Text: "is a POP3 server before the IMAP server: FairEmail and Geary find no IMAP.",
					Cure: "write the IMAP server first"})
			}
		}
		return faults
	})
	return found
}

// onlyOAuth2 finds C10.
func onlyOAuth2(_ context.Context, c *Case) []Finding {
	return c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, section := range f.mailSections() {
			methods := section.All("authentication")
			onlyOAuth := len(methods) > 0 && !slices.ContainsFunc(methods, func(e *document.Element) bool {
				return strings.TrimSpace(e.Text) != "OAuth2"
			})
			host := strings.ToLower(account.Expand(section.Content("hostname"), c.Address))
			if !onlyOAuth || (account.Server{Hostname: host}).HasKnownOAuth2() {
				continue
			}
			faults = append(faults, mistake{Line: methods[0].Line,
				Cure: "add <authentication>password-cleartext</authentication>",
				Text: fmt.Sprintf("offers OAuth2 alone for %s, where no client here is registered: "+
					"Thunderbird drops the server.", host),
				Old: "<authentication>OAuth2</authentication>",
				New: "<authentication>OAuth2</authentication><authentication>password-cleartext</authentication>"})
		}
		return faults
	})
}

// brokenXML finds C11.
func brokenXML(_ context.Context, c *Case) []Finding {
	var found []Finding
	for _, root := range []string{"clientConfig", "Autodiscover"} {
		found = append(found, c.byAnyFile(root, func(f file) []mistake {
			e := f.xml.Error
			if e == nil && root == "clientConfig" && f.xml.Root.Name != root {
				return []mistake{{Line: f.xml.Root.Line, Cure: "write the elements without a prefix",
					Text: fmt.Sprintf("begins with <%s>: clients look for <%s> and find nothing.",
						f.xml.Root.Name, root)}}
			}
			if e == nil && f.xml.Encoding != "utf-8" {
				return []mistake{{Line: 1, Cure: "write the document in UTF-8",
					Text: fmt.Sprintf("is in %s, and some clients, such as aerc, read UTF-8 alone.", f.xml.Encoding)}}
			}
			if e == nil || e.Kind == document.Empty {
				return nil
			}
			return []mistake{{Line: e.Line,
				Text: fmt.Sprintf("breaks the rules of XML: %s. Most clients cannot read the document.", e.Text),
				Cure: fmt.Sprintf("correct line %d (xmllint --noout names the place)", e.Line)}}
		})...)
	}
	for i := range found {
		found[i].Explains = append(found[i].Explains, "C8", "C9", "C16")
	}
	return found
}

// passwords finds C18.
func passwords(_ context.Context, c *Case) []Finding {
	found := c.byFile("clientConfig", func(f file) []mistake {
		var faults []mistake
		for _, section := range f.sections() {
			if e := section.Child("password"); e != nil && strings.TrimSpace(e.Text) != "" {
				faults = append(faults, mistake{Line: e.Line, Text: "holds a password, and anybody can read it.",
					Cure: "remove <password>, and change that password", Old: "<password>" + e.Raw + "</password>"})
			}
		}
		return faults
	})
	for i := range found {
		found[i].Clients = []string{}
		for j := range found[i].Evidence {
			found[i].Evidence[j].Text = "<password> with a text" // which the report must not show again
		}
	}
	return found
}
