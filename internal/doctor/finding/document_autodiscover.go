package finding

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// encryptions finds C1 ([MS-OXDSCLI] 2.2.4.1.1.2.6.22: Encryption overrides SSL).
func encryptions(_ context.Context, c *Case) []Finding {
	return c.outlooks(c.byFile("Autodiscover", func(f file) []mistake {
		var faults []mistake
		for _, e := range f.protocols() {
			port, _ := strconv.Atoi(strings.TrimSpace(e.Content("Port")))
			right, known := usual[port]
			said, how := outlookSecurity(e)
			if !known || said == right || said == "" {
				continue
			}
			text := fmt.Sprintf("makes Outlook begin TLS at once on port %d, where it begins with STARTTLS (%s).",
				port, how)
			switch {
			case said == account.STARTTLS:
				text = fmt.Sprintf("makes Outlook wait for STARTTLS on port %d, where TLS begins at once (%s).", port,
					how)
			case said == account.Plain:
				text = fmt.Sprintf("makes Outlook and Thunderbird speak in clear text on port %d (%s).", port, how)
			}
			cure := fmt.Sprintf("write <SSL>on</SSL><Encryption>%s</Encryption> for port %d",
				map[account.SocketType]string{account.SSL: "SSL", account.STARTTLS: "TLS"}[right], port)
			m := mistake{Line: e.Line, Text: text, Cure: cure}
			if e.Child("Encryption") != nil && said == account.STARTTLS {
				m.Old = e.Raw
				m.New = strings.Replace(e.Raw, "<Encryption>"+e.Child("Encryption").Raw, "<Encryption>SSL", 1)
			}
			faults = append(faults, m)
		}
		return faults
	}))
}

// outlookSecurity returns how Outlook connects, empty if it finds out, and the elements that
// say so.
func outlookSecurity(e *document.Element) (account.SocketType, string) {
	if encryption := e.Child("Encryption"); encryption != nil {
		text := strings.TrimSpace(encryption.Text)
		switch strings.ToLower(text) {
		case "ssl":
			return account.SSL, "Encryption " + text
		case "tls":
			return account.STARTTLS, "Encryption " + text
		case "none":
			return account.Plain, "Encryption " + text
		}
		return "", ""
	}
	if strings.EqualFold(strings.TrimSpace(e.Content("SSL")), "off") {
		return account.Plain, "SSL off"
	}
	return account.SSL, "SSL on, no Encryption"
}

// loginNames finds C13 ([MS-OXDSCLI] 2.2.4.1.1.2.6.28).
func loginNames(_ context.Context, c *Case) []Finding {
	return c.outlooks(c.byFile("Autodiscover", func(f file) []mistake {
		var faults []mistake
		for _, e := range f.protocols() {
			if e.Child("LoginName") == nil && c.wasAskedByAddress(f) {
				faults = append(faults, mistake{Line: e.Line, Cure: "add <LoginName> with the whole login",
					Text: fmt.Sprintf("is a Protocol %s without LoginName: Outlook signs in with "+
						"the part before the @.", e.Content("Type"))})
			}
		}
		return faults
	}))
}

// wasAskedByAddress reports whether the file answers a question with an address. Without one
// nobody can name a login.
func (c *Case) wasAskedByAddress(f file) bool {
	for q := range c.Asker.Webs() {
		if q.Method == "POST" && slices.Contains(f.Keys, q.Key()) {
			return true
		}
	}
	return false
}

// activeSyncURLs finds C12.
func activeSyncURLs(ctx context.Context, c *Case) []Finding {
	provider := c.Provider(ctx)
	found := c.byFile("Autodiscover", func(f file) []mistake {
		var faults []mistake
		f.xml.Root.Walk(func(server *document.Element) {
			e := server.Child("Url")
			if server.Local() != "Server" || e == nil || strings.TrimSpace(server.Content("Type")) != "MobileSync" {
				return
			}
			u, err := url.Parse(strings.TrimSpace(e.Text))
			switch host := ""; {
			case err != nil:
			case u.Host == "":
				faults = append(faults, mistake{Line: e.Line, Cure: "write an https URL",
					Text: "gives phones no URL of a server."})
			case u.Scheme != "https":
				faults = append(faults, mistake{Line: e.Line, Cure: "write an https URL",
					Text: fmt.Sprintf("sends phones to %s://%s, where they would synchronise without encryption.",
						u.Scheme, u.Host),
					Old: "<Url>" + u.Scheme + "://", New: "<Url>https://"})
			default:
				if host = u.Hostname(); sameOwner(host, c.Domain()) || siteOf(host) == provider || sameOwner(host,
					f.Host) {
					return
				}
				faults = append(faults, mistake{Line: e.Line,
					Cure: "write the URL of the own server, or answer with error 601",
					Text: fmt.Sprintf("sends phones to %s, which belongs neither to %s nor to its mail provider.",
						host, c.Domain())})
			}
		})
		return faults
	})
	for i := range found {
		found[i].Clients = c.takers(keysOf(found[i].Evidence)...)
	}
	return found
}

func keysOf(evidence []Evidence) []probe.Key {
	keys := make([]probe.Key, len(evidence))
	for i, e := range evidence {
		keys[i] = e.Key
	}
	return keys
}

// phoneAnswers finds C17.
func phoneAnswers(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		if p.Kind != atAutodiscover || !strings.Contains(p.Question.Body, "mobilesync/requestschema") {
			return ""
		}
		switch last := p.Last(); {
		case last.isOK() && strings.Contains(string(last.Answer.Body), "outlook/responseschema"):
			return fmt.Sprintf("%s answers phones as it answers Outlook, which they do not understand.",
				withoutQuery(p.Question.URL))
		case last.Answer.Failure == nil && last.Answer.Status == 400:
			return fmt.Sprintf("%s answers phones that their question is malformed (400).",
				withoutQuery(p.Question.URL))
		}
		return ""
	}), webCure("answer the schema mobilesync with ActiveSync's URL, or with error 601"))
}
