package client

import (
	"net/url"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// This file spells the questions of all clients, so that they are shared. Clients differ in
// how they write the address into a URL (form-encoded, percent-encoded with or without
// the dot, raw): no server answers differently by that, so one spelling stands for all.

// The bases of Mozilla's database of providers. They can differ.
const (
	ISPDBLive        = "https://live.thunderbird.net/autoconfig/v1.1/" // Thunderbird
	ISPDBThunderbird = "https://autoconfig.thunderbird.net/v1.1/"      // most others
	ISPDBV1          = "https://v1.ispdb.net/"                         // GNOME Online Accounts
)

const (
	autoconfigPath   = "/mail/config-v1.1.xml"
	wellKnownPath    = "/.well-known/autoconfig/mail/config-v1.1.xml"
	autodiscoverPath = "/autodiscover/autodiscover.xml"
)

// Autoconfig asks for the document at autoconfig.domain without an address.
func Autoconfig(scheme, domain string) probe.WebQuestion {
	return get(scheme + "://autoconfig." + domain + autoconfigPath)
}

// AutoconfigFor asks for the document at autoconfig.domain with the address.
func AutoconfigFor(scheme, domain string, a account.Address) probe.WebQuestion {
	return get(scheme + "://autoconfig." + domain + autoconfigPath + addressQuery(a))
}

// WellKnown asks the domain's own web server for the document without an address.
func WellKnown(scheme, domain string) probe.WebQuestion {
	return get(scheme + "://" + domain + wellKnownPath)
}

// WellKnownFor asks the domain's own web server for the document with the address.
func WellKnownFor(scheme, domain string, a account.Address) probe.WebQuestion {
	return get(scheme + "://" + domain + wellKnownPath + addressQuery(a))
}

// MailV1 asks for the document at the path that drafts had until May 2024 and that GNOME
// Online Accounts still asks first.
func MailV1(domain string, a account.Address) probe.WebQuestion {
	return get("https://autoconfig." + domain + "/.well-known/mail-v1.xml" + addressQuery(a))
}

// ISPDB asks one of Mozilla's databases for a domain.
func ISPDB(base, domain string) probe.WebQuestion { return get(base + domain) }

// PACC asks for the document of draft-ietf-mailmaint-pacc.
func PACC(domain string) probe.WebQuestion {
	return get("https://ua-auto-config." + domain + "/.well-known/user-agent-configuration.json")
}

// AutodiscoverURL returns the URL of Autodiscover on a host.
func AutodiscoverURL(scheme, host string) string { return scheme + "://" + host + autodiscoverPath }

// Autodiscover asks Autodiscover as Outlook does, for IMAP and SMTP or an Exchange
// server: a POST with the request schema 2006 and the response schema 2006a.
func Autodiscover(rawURL string, a account.Address) probe.WebQuestion {
	return post(rawURL, a, "outlook/requestschema/2006", "outlook/responseschema/2006a")
}

// MobileSync asks Autodiscover as phones do, for ActiveSync (MS-ASCMD 2.2.1.1).
func MobileSync(rawURL string, a account.Address) probe.WebQuestion {
	return post(rawURL, a, "mobilesync/requestschema/2006", "mobilesync/responseschema/2006")
}

// AutodiscoverGET asks Autodiscover with a GET and without an address.
func AutodiscoverGET(rawURL string) probe.WebQuestion { return get(rawURL) }

// AutodiscoverJSON asks Autodiscover version 2 on a host for the URL of a protocol:
// ActiveSync, AutodiscoverV1 or EWS.
func AutodiscoverJSON(host string, a account.Address, protocol string) probe.WebQuestion {
	return get("https://" + host + "/autodiscover/autodiscover.json?Email=" + url.QueryEscape(a.String()) +
		"&Protocol=" + protocol)
}

// DNS asks for records.
func DNS(recordType, name string) probe.DNSQuestion {
	return probe.DNSQuestion{Name: name, Type: recordType}
}

// Get asks for a URL, spelled as all questions are.
func Get(rawURL string) probe.WebQuestion { return get(Normalize(rawURL)) }

// Normalize returns a URL with its scheme and host in lower case, without a default port
// and a fragment. What is no URL stays as it is.
func Normalize(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return rawURL
	}
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

func get(rawURL string) probe.WebQuestion { return probe.WebQuestion{Method: "GET", URL: rawURL} }

func addressQuery(a account.Address) string { return "?emailaddress=" + url.QueryEscape(a.String()) }

const schemas = "http://schemas.microsoft.com/exchange/autodiscover/"

func post(rawURL string, a account.Address, request, response string) probe.WebQuestion {
	address := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(a.String())
	return probe.WebQuestion{
		Method: "POST",
		URL:    Normalize(rawURL),
		// Microsoft's servers want exactly this spelling (ExchangeAutoDiscover.sys.mjs of Thunderbird).
		ContentType: "text/xml; charset=utf-8",
		Body: `<?xml version="1.0" encoding="utf-8"?>` +
			`<Autodiscover xmlns="` + schemas + request + `"><Request>` +
			`<EMailAddress>` + address + `</EMailAddress>` +
			`<AcceptableResponseSchema>` + schemas + response + `</AcceptableResponseSchema>` +
			`</Request></Autodiscover>`,
	}
}
