package format

import (
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// monogramm is the environment of Monogramm's autodiscover-email-settings (1.4.0, settings.js), as
// a file or in a compose.yaml. Tiliq's and Incruises' older ones have the same names.
var monogramm = Format{
	Name:  "monogramm",
	Title: "the environment of autodiscover-email-settings",
	Is:    hasVariable("IMAP_HOST", "SMTP_HOST", "(?:COMPANY_NAME|DOMAIN|PROFILE_IDENTIFIER)"),
	Read:  eachEnv(readMonogramm, "IMAP_HOST", "SMTP_HOST"),
}

func readMonogramm(e envFile, d *draft.Draft) {
	p := draft.Product{Place: e.at("DOMAIN")}
	setNames(d, &p, e.at("COMPANY_NAME"), e.get("COMPANY_NAME"), "")
	addDomains(d, &p, e.at("DOMAIN"), strings.Split(e.get("DOMAIN"), ",")...)
	known := []string{"COMPANY_NAME", "DOMAIN", "SUPPORT_URL", "MOBILESYNC_URL"}
	for _, prefix := range []string{"IMAP", "POP", "SMTP"} {
		known = append(known, prefix+"_HOST", prefix+"_PORT", prefix+"_SOCKET")
		host := e.get(prefix + "_HOST")
		if host == "" {
			continue
		}
		socket := e.get(prefix + "_SOCKET")
		if !strings.EqualFold(socket, "SSL") && !strings.EqualFold(socket, "STARTTLS") {
			socket = string(account.Plain) // every other word, as settings.js has it
		}
		service{at: e.at(prefix + "_HOST"), name: prefix, kind: prefix, host: host, port: e.get(prefix + "_PORT"),
			socket: socket}.add(d, &p)
	}
	if url := e.get("MOBILESYNC_URL"); url != "" {
		if strings.Count(strings.TrimSuffix(url, "/"), "/") == 2 {
			url = strings.TrimSuffix(url, "/") + "/Microsoft-Server-ActiveSync"
		}
		service{at: e.at("MOBILESYNC_URL"), name: "MOBILESYNC_URL", kind: "activesync", url: url}.add(d, &p)
	}
	var branding draft.Map
	if name := p.Provider.DisplayName; name != "" {
		branding = append(branding, draft.Entry{Key: "name", Value: name})
	}
	if text := e.get("SUPPORT_URL"); text != "" {
		if url, problem := contactURL(text); problem != "" {
			d.Lose(e.at("SUPPORT_URL"), "SUPPORT_URL: %s", problem)
		} else {
			branding = append(branding, draft.Entry{Key: "contact", Value: draft.Map{{Key: "url", Value: url}}})
		}
	}
	if len(branding) > 0 && !slices.ContainsFunc(d.Keys, func(e draft.Entry) bool { return e.Key == "branding" }) {
		d.Keys = append(d.Keys, draft.Entry{Key: "branding", Value: branding})
	}
	if p.Domains != nil {
		d.Hints = append(d.Hints, "The old service answers any domain that leads to it with the same servers: "+
			"list all that you host under domains")
	}
	e.lose(d, known, map[string]string{
		"LDAP_": "Signpost's profiles have no address book", "PROFILE_": profileIdentity, "MAIL_UUID": profileIdentity,
		"MOBILESYNC_NAME": "Signpost does not tell it",
	})
	finish(d, p)
}

const profileIdentity = "Signpost's profiles have an identity of their own, so remove the old profile from a device " +
	"before the new one"
