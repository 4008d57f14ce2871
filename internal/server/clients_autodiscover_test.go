package server_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autodiscover"
	"signpost/mobileconfig"
)

const poxPath = "/autodiscover/autodiscover.xml"

// mailClients lists all clients, in the order of the golden tables.
var mailClients = slices.Concat(autoconfigClients, autodiscoverClients)

// The readers of Autodiscover and of profiles.
var autodiscoverClients = []mailClient{
	// Up to 2013, and later ones with the old wizard: https at the domain, https at
	// autodiscover.‹domain›, a redirect of plain HTTP, SRV.
	{"classic Outlook", func(v *visit) []account.Server {
		return mailAccount(v.pox(outlookRequest(v.address.String())), account.IMAP, account.POP3)
	}},
	{"eM Client", func(v *visit) []account.Server { // SRV first
		servers := v.readSRV("_imaps._tcp", "_imap._tcp", "_submissions._tcp", "_submission._tcp")
		if found := mailAccount(servers, account.IMAP); found != nil {
			return found
		}
		return mailAccount(v.pox(outlookRequest(v.address.String())), account.IMAP, account.POP3)
	}},
	// The wizard of 2016 and later asks for the URL by JSON and fetches the document, but
	// takes only Exchange from it.
	{"Outlook 2016 and later", func(v *visit) []account.Server {
		v.json("AutodiscoverV1")
		return exchange(v.pox(outlookRequest(v.address.String())))
	}},
	// Microsoft's servers ask with the schema of phones.
	{"new Outlook", func(v *visit) []account.Server { return exchange(v.pox(phoneRequest(v.address.String()))) }},
	{"Outlook on phones", func(v *visit) []account.Server {
		if servers := v.activeSyncJSON(); servers != nil {
			return servers
		}
		return exchange(v.pox(phoneRequest(v.address.String())))
	}},
	// EasAutoDiscover.java: host and port of the URL, the address as the login.
	{"Gmail, Exchange account", func(v *visit) []account.Server { return exchange(v.pox(phoneRequest(v.address.String()))) }},
	{"iPhone, Exchange account", func(v *visit) []account.Server {
		if servers := v.activeSyncJSON(); servers != nil {
			return servers
		}
		return exchange(v.pox(phoneRequest(v.address.String())))
	}},
	{"TbSync", func(v *visit) []account.Server { return exchange(v.pox(phoneRequest(v.address.String()))) }},
	{"MyMail, Spike", func(v *visit) []account.Server { // GET without an address
		for _, u := range []string{"https://%s" + poxPath, "https://autodiscover.%s" + poxPath} {
			if servers := mailAccount(v.readPOX(v.get(u).body), account.IMAP, account.POP3); servers != nil {
				return servers
			}
		}
		return nil
	}},
	// exchangelib, ews-javascript-api and evolution-ews take nothing but Exchange, and all
	// find the same.
	{"EWS libraries", func(v *visit) []account.Server {
		found := v.exchangelib()
		for name, search := range map[string]func() []account.Server{
			"ews-javascript-api": v.ewsJavaScript,
			"evolution-ews":      func() []account.Server { return onlyEWS(v.pox(outlookRequest(v.address.String()))) },
		} {
			same := func(a, b account.Server) bool { return a.URL == b.URL && a.Login == b.Login }
			if other := search(); !slices.EqualFunc(found, other, same) {
				v.t.Errorf("%s: %s finds %v, and exchangelib %v", v.address, name, other, found)
			}
		}
		return found
	}},
	// Nobody but a person opens the page; the link leads there.
	{"iPhone, profile of the page", func(v *visit) []account.Server { return v.profile("iphone") }},
	{"Mac, profile of the page", func(v *visit) []account.Server { return v.profile("mac") }},
}

// phoneRequest returns the request of a phone.
func phoneRequest(address string) string {
	return strings.NewReplacer("outlook/requestschema/2006", "mobilesync/requestschema/2006",
		"outlook/responseschema/2006a", "mobilesync/responseschema/2006").Replace(outlookRequest(address))
}

// pox sends the request to the hosts in Outlook's order until one answers.
func (v *visit) pox(body string) []account.Server {
	urls := []string{"https://%s" + poxPath, "https://autodiscover.%s" + poxPath}
	if r := v.once("GET", "http://autodiscover.%s"+poxPath, ""); r.status/100 == 3 {
		urls = append(urls, r.header.Get("Location"))
	}
	if host, _, ok := v.srv("_autodiscover._tcp"); ok {
		urls = append(urls, "https://"+host+poxPath)
	}
	for _, u := range urls {
		if r := v.post(u, body); r.ok() {
			return v.readPOX(r.body)
		}
	}
	return nil
}

const soapPath = "/autodiscover/autodiscover.svc"

// soapHosts returns the hosts that EWS libraries ask.
func (v *visit) soapHosts() []string {
	hosts := []string{"%s", "autodiscover.%s"}
	if host, _, ok := v.srv("_autodiscover._tcp"); ok {
		hosts = append(hosts, host)
	}
	return hosts
}

// exchangelib asks for an invented mailbox and goes on after an answer
// (get_autodiscover_authtype).
func (v *visit) exchangelib() []account.Server {
	for _, host := range v.soapHosts() {
		u := "https://" + host + soapPath
		if r := v.post(u, soapRequest("DUMMY@example.com")); !r.ok() {
			continue
		}
		if r := v.post(u, soapRequest(v.address.String())); r.ok() {
			return v.readSOAP(r.body)
		}
	}
	return nil
}

// ewsJavaScript asks where a header of autodiscover.xml promises SOAP
// (TryGetEnabledEndpointsForHost).
func (v *visit) ewsJavaScript() []account.Server {
	for _, host := range v.soapHosts() {
		if r := v.get("https://" + host + poxPath); r.header.Get("X-SOAP-Enabled") == "" {
			continue
		}
		if r := v.post("https://"+host+soapPath, soapRequest(v.address.String())); r.ok() {
			return v.readSOAP(r.body)
		}
	}
	return nil
}

// readSOAP returns the EWS server of an answer. The person signs in with the address.
func (v *visit) readSOAP(document []byte) []account.Server {
	s, err := autodiscover.ReadUserSettings(document)
	if err != nil {
		v.t.Errorf("%s: the answer of SOAP: %v", v.address, err)
		return nil
	}
	servers := s.Expanded()
	for i := range servers {
		servers[i].Login.Username = v.address.String()
	}
	return servers
}

// onlyEWS returns the servers of Exchange Web Services.
func onlyEWS(servers []account.Server) []account.Server {
	return slices.DeleteFunc(servers, func(s account.Server) bool { return s.Type != account.EWS })
}

// readPOX returns the servers of an answer, none if it is an error or redirects. A server
// without a login gets the address, as every reader does.
func (v *visit) readPOX(document []byte) []account.Server {
	s, err := autodiscover.Read(document)
	if err != nil {
		return nil
	}
	servers := s.Expanded()
	for i := range servers {
		if servers[i].Login.Username == "" {
			servers[i].Login.Username = v.address.String()
		}
	}
	return servers
}

// json asks for the URL of a protocol, "" if there is none.
func (v *visit) json(protocol string) string {
	query := "?Email=" + url.QueryEscape(v.address.String()) + "&Protocol=" + protocol + "&RedirectCount=1"
	for _, host := range []string{"%s", "autodiscover.%s"} {
		r := v.get("https://" + host + "/autodiscover/autodiscover.json" + query)
		var answer struct{ Url string }
		if r.ok() && json.Unmarshal(r.body, &answer) == nil {
			return answer.Url
		}
	}
	return ""
}

// activeSyncJSON returns the ActiveSync server that JSON names. The client signs in to it
// with the address.
func (v *visit) activeSyncJSON() []account.Server {
	u := v.json("ActiveSync")
	if u == "" {
		return nil
	}
	return []account.Server{{Type: account.ActiveSync, URL: u, Login: account.Login{Username: v.address.String()}}}
}

// exchange returns the servers of Exchange.
func exchange(servers []account.Server) []account.Server {
	return slices.DeleteFunc(servers, func(s account.Server) bool { return s.Type != account.ActiveSync })
}

// profile returns the servers of the profile for a device.
func (v *visit) profile(device string) []account.Server {
	r := v.get("https://" + v.service + "/profile.mobileconfig?device=" + device + "&emailaddress=" +
		url.QueryEscape(v.address.String()))
	if r.status != 200 {
		return nil
	}
	s, err := mobileconfig.Read(r.body)
	if err != nil {
		v.t.Errorf("the profile cannot be read: %v", err)
	}
	return s.Expanded()
}
