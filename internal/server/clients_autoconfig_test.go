package server_test

import (
	"crypto/md5"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autoconfig"
)

// The readers of autoconfig. Where nothing else is said, they were read in the source of
// August 2026.

const (
	ispHTTPS   = "https://autoconfig.%s/mail/config-v1.1.xml"
	ispHTTP    = "http://autoconfig.%s/mail/config-v1.1.xml"
	knownHTTPS = "https://%s/.well-known/autoconfig/mail/config-v1.1.xml"
	knownHTTP  = "http://%s/.well-known/autoconfig/mail/config-v1.1.xml"
)

var autoconfigClients = []mailClient{
	// FetchConfig.sys.mjs, FindConfig.sys.mjs: the first URL in this order with any 2xx
	// counts, and no other is looked at. ExchangeAutoDiscover.sys.mjs.
	{"Thunderbird", func(v *visit) []account.Server {
		for _, u := range []string{ispHTTPS, knownHTTPS, ispHTTP, knownHTTP} {
			if r := v.get(u + "?emailaddress=" + url.QueryEscape(v.address.String())); r.ok() {
				if servers := mailAccount(v.read(r.body), account.IMAP, account.POP3, account.EWS); servers != nil {
					return servers
				}
				break
			}
		}
		body := outlookRequest(v.address.String())
		urls := []string{"https://autodiscover.%s" + poxPath, "https://%s" + poxPath,
			"http://autodiscover.%s" + poxPath}
		if host, _, ok := v.srv("_autodiscover._tcp"); ok {
			urls = append(urls, "https://"+host+poxPath)
		}
		for _, u := range urls {
			if r := v.post(u, body); r.ok() {
				if servers := mailAccount(v.readPOX(r.body), account.IMAP, account.POP3); servers != nil {
					return servers
				}
			}
		}
		return nil
	}},
	// feature/autodiscovery: never sends the address; takes the first that parses, with
	// the first imap and the first smtp. K-9 Mail is the same.
	{"Thunderbird for Android", func(v *visit) []account.Server {
		return v.firstThatParses([]string{ispHTTPS, knownHTTPS, ispHTTP, knownHTTP}, account.IMAP)
	}},
	// src/configure.rs: in turn, until one parses. What parses ends the search even if it
	// names no server.
	{"Delta Chat", func(v *visit) []account.Server {
		for _, u := range []string{ispHTTPS + "?emailaddress=" + percent(v.address.String()), knownHTTPS} {
			if r := v.get(u); r.ok() {
				return mailAccount(v.read(r.body), account.IMAP)
			}
		}
		for _, u := range []string{"https://%s" + poxPath, "https://autodiscover.%s" + poxPath} {
			if r := v.get(u); r.ok() {
				return mailAccount(v.readPOX(r.body), account.IMAP)
			}
		}
		return nil
	}},
	// e-mail-autoconfig.c of 3.46 sends a placeholder with the MD5 of the address, and
	// completes what it gets with the address itself.
	{"Evolution", func(v *visit) []account.Server {
		query := fmt.Sprintf("?emailaddress=EVOLUTIONUSER%%40%s&emailmd5=%x", v.domain(),
			md5.Sum([]byte(strings.ToLower(v.address.String()))))
		for _, u := range []string{ispHTTPS, ispHTTP, knownHTTPS, knownHTTP} {
			if r := v.get(u + query); r.ok() {
				if servers := mailAccount(v.read(r.body), account.IMAP, account.POP3); servers != nil {
					return servers
				}
			}
		}
		return v.readSRV("_imaps._tcp", "_imap._tcp", "_submissions._tcp", "_submission._tcp")
	}},
	// accounts-autoconfig.vala: the body of any answer, the address as the login whatever
	// stands there, only the first incomingServer.
	{"Geary", func(v *visit) []account.Server {
		servers := mailAccount(v.read(v.get(ispHTTPS).body), account.IMAP, account.POP3)
		if len(servers) == 0 || servers[0].Type != account.IMAP {
			return nil
		}
		return withLogin(servers, v.address.String())
	}},
	// goamailclient.c of 3.58: status 200, the address unescaped at autoconfig.‹domain›.
	// Of user names it understands only placeholders, and takes the address otherwise.
	{"GNOME Online Accounts", func(v *visit) []account.Server {
		query := "?emailaddress=" + v.address.String()
		for _, u := range []string{
			"https://autoconfig.%s/.well-known/mail-v1.xml" + query, ispHTTPS + query, knownHTTPS, ispHTTP,
		} {
			if r := v.get(u); r.status == 200 {
				if servers := mailAccount(v.read(r.body), account.IMAP); servers != nil {
					return withLogin(servers, v.address.String())
				}
			}
		}
		return nil
	}},
	// ispdbservice.cpp: status 200, never the address.
	{"KMail", func(v *visit) []account.Server {
		return v.firstThatParses([]string{ispHTTPS, ispHTTP, knownHTTPS}, account.IMAP, account.POP3)
	}},
	// onboarding-helpers.ts: never the address. A literal user name becomes the address.
	{"Mailspring", func(v *visit) []account.Server {
		servers := v.firstThatParses([]string{ispHTTPS, knownHTTPS}, account.IMAP)
		for i, s := range servers {
			if s.Login.Username != v.address.Local() {
				servers[i].Login = account.Login{Username: v.address.String()}
			}
		}
		return servers
	}},
	// EmailProvider.java, as on GitHub and Play: SRV and autoconfig side by side, and a
	// user name other than the address wins.
	{"FairEmail", func(v *visit) []account.Server {
		query := "?emailaddress=" + v.address.String()
		var found []account.Server
		for _, u := range []string{ispHTTPS, knownHTTPS, ispHTTP, knownHTTP} {
			if r := v.get(u + query); r.status == 200 && found == nil {
				found = mailAccount(v.read(r.body), account.IMAP)
			}
		}
		if srv := fairEmailSRV(v); srv != nil && (found == nil || found[0].Login.Username == v.address.String()) {
			return srv
		}
		if found != nil {
			return found
		}
		for _, u := range []string{"https://%s" + poxPath, "https://autodiscover.%s" + poxPath} {
			if r := v.post(u, outlookRequest(v.address.String())); r.status == 200 && found == nil {
				found = mailAccount(v.readPOX(r.body), account.IMAP)
			}
		}
		return found
	}},
	{"FairEmail of F-Droid", fairEmailSRV}, // has no autoconfig
	// IspDb.php: the address unescaped, any 2xx.
	{"Nextcloud Mail", func(v *visit) []account.Server {
		query := "?emailaddress=" + v.address.String()
		for _, u := range []string{ispHTTPS, knownHTTPS, ispHTTP, knownHTTP} {
			if r := v.get(u + query); r.ok() {
				if servers := mailAccount(v.read(r.body), account.IMAP); servers != nil {
					return servers
				}
			}
		}
		return nil
	}},
	// lib/autoconfig of 0.20: SRV records come before autoconfig.
	{"aerc", func(v *visit) []account.Server {
		if servers := v.readSRV("_imap._tcp", "_imaps._tcp", "_submission._tcp", "_smtps._tcp"); servers != nil {
			return servers
		}
		query := "?emailaddress=" + url.QueryEscape(v.address.String())
		return v.firstThatParses([]string{ispHTTPS + query, knownHTTPS + query}, account.IMAP)
	}},
	{"aerc 0.14", func(v *visit) []account.Server { // seen: asks for these two only
		return v.readSRV("_imaps._tcp", "", "_submission._tcp", "")
	}},
	{"Claws Mail", func(v *visit) []account.Server { // seen
		return v.readSRV("_imaps._tcp", "_imap._tcp", "_submission._tcp", "")
	}},
	// fetchConfig.ts, findConfig.ts: only the first URL has the address.
	{"Parula", func(v *visit) []account.Server {
		query := "?emailaddress=" + url.QueryEscape(v.address.String())
		for _, u := range []string{ispHTTPS + query, knownHTTPS, ispHTTP} {
			if r := v.get(u); r.ok() {
				if servers := v.read(r.body); servers != nil {
					return servers
				}
			}
		}
		if r := v.post("https://autodiscover.%s"+poxPath, outlookRequest(v.address.String())); r.ok() {
			return mailAccount(v.readPOX(r.body), account.IMAP, account.POP3)
		}
		return nil
	}},
	// io-pim-discovery: follows no redirect; PACC, autoconfig, SRV.
	{"Himalaya", func(v *visit) []account.Server {
		if r := v.once("GET", "https://ua-auto-config.%s/.well-known/user-agent-configuration.json", ""); r.ok() {
			if s, err := autoconfig.ReadPACC(r.body, v.address); err == nil {
				return mailAccount(s.Expanded(), account.IMAP)
			}
		}
		for _, u := range []string{ispHTTPS + "?emailaddress=" + v.address.String(), knownHTTPS} {
			if r := v.once("GET", u, ""); r.ok() {
				if servers := mailAccount(v.read(r.body), account.IMAP); servers != nil {
					return servers
				}
			}
		}
		return v.readSRV("_imaps._tcp", "_imap._tcp", "_submission._tcp", "")
	}},
	// Nine, on Android: the URL of ActiveSync first (seen in a server's log).
	{"Nine", func(v *visit) []account.Server {
		if servers := v.activeSyncJSON(); servers != nil {
			return servers
		}
		return v.firstThatParses([]string{"https://autodiscover.%s/v1.1/mail/config-v1.1.xml",
			"https://autoconfig.%s/v1.1/mail/config-v1.1.xml"}, account.IMAP, account.POP3)
	}},
}

// read returns the servers that an autoconfig document names, none if it cannot be read.
func (v *visit) read(document []byte) []account.Server {
	s, err := autoconfig.Read(document, v.address)
	if err != nil {
		return nil
	}
	return s.Expanded()
}

// firstThatParses asks for the URLs in turn until a document names an account.
func (v *visit) firstThatParses(urls []string, incoming ...account.ServerType) []account.Server {
	for _, u := range urls {
		if r := v.get(u); r.status == 200 {
			if servers := mailAccount(v.read(r.body), incoming...); servers != nil {
				return servers
			}
		}
	}
	return nil
}

// mailAccount returns the first incoming server of one of the types and the first
// outgoing one, none if one of them is missing: no account can be made from half.
func mailAccount(servers []account.Server, incoming ...account.ServerType) []account.Server {
	in := slices.IndexFunc(servers, func(s account.Server) bool { return slices.Contains(incoming, s.Type) })
	out := slices.IndexFunc(servers, func(s account.Server) bool { return s.Type == account.SMTP })
	if in < 0 || out < 0 {
		return nil
	}
	return []account.Server{servers[in], servers[out]}
}

// readSRV returns the servers of the first records that exist of each pair. Their login
// is the address (RFC 6186 §4). Records with a final s mean implicit TLS.
func (v *visit) readSRV(imap, otherIMAP, smtp, otherSMTP string) []account.Server {
	var servers []account.Server
	for _, pair := range []struct {
		serverType account.ServerType
		labels     [2]string
	}{{account.IMAP, [2]string{imap, otherIMAP}}, {account.SMTP, [2]string{smtp, otherSMTP}}} {
		for _, label := range pair.labels {
			host, port, ok := v.srv(label)
			if !ok {
				continue
			}
			s := account.Server{Type: pair.serverType, Hostname: host, Port: port, SocketType: account.STARTTLS}
			if strings.HasSuffix(label, "s._tcp") {
				s.SocketType = account.SSL
			}
			s.Login.Username = v.address.String()
			servers = append(servers, s)
			break
		}
	}
	return servers
}

// fairEmailSRV drops the records of IMAP if there are none for sending.
func fairEmailSRV(v *visit) []account.Server {
	servers := v.readSRV("_imaps._tcp", "_imap._tcp", "_submissions._tcp", "_submission._tcp")
	return mailAccount(servers, account.IMAP)
}

// withLogin returns the servers with another login.
func withLogin(servers []account.Server, username string) []account.Server {
	servers = slices.Clone(servers)
	for i := range servers {
		servers[i].Login = account.Login{Username: username}
	}
	return servers
}

// percent escapes everything but letters, digits and dots, as Delta Chat does.
func percent(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
