package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// Himalaya asks in all ways at once (io-pim-discovery at ce91b09) and offers one choice for JMAP
// and one for IMAP with SMTP, JMAP first (src/wizard/search.rs at ca88bee). It follows no
// redirect, invents no host name, and tries IMAP and SMTP before it saves the account.
func init() {
	register(Client{ID: "himalaya", Name: "Himalaya", Version: "2.1", Certainty: ByCode, Forecast: himalaya})
}

// himalayaLimit is DISCOVERY_TIMEOUT: ways that are not done by then do not count.
const himalayaLimit = 8 * time.Second

var (
	himalayaFetching = Fetching{Limit: himalayaLimit}
	himalayaJMAP     = Fetching{Limit: himalayaLimit, WholeLimit: true, Hops: 5}
)

var himalayaTesting = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true, Later: true, Trying: Trying{
	Methods: map[account.ServerType][]string{account.IMAP: {"PLAIN", "LOGIN", "SCRAM-SHA-256"},
		account.SMTP: {"PLAIN", "LOGIN", "SCRAM-SHA-256"}},
}}

func himalaya(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	h := himalayaSearch{Search: s, domain: domain}
	h.expect(ctx)
	exchanges, known := s.MX(ctx, domain)
	if !known {
		return cannotTell(DNS("MX", domain).Key())
	}
	if p, ok := ProviderOf(domain, exchanges); ok && (p.ID == "google" || p.ID == "microsoft") {
		return p.builtIn("IMAP + SMTP, or the provider's own interface")
	}
	// The order of the ways counts: see best.
	h.byPACC(ctx)
	h.byDocument(ctx, AutoconfigFor("https", domain, s.Address))
	h.byDocument(ctx, WellKnown("https", domain))
	h.byMailconf(ctx)
	h.byDocument(ctx, ISPDB(ISPDBThunderbird, domain))
	h.bySRV(ctx)
	h.byJMAP(ctx)
	if h.unknown != "" {
		return cannotTell(h.unknown)
	}
	return h.choose(ctx)
}

type himalayaSearch struct {
	*Search
	domain  string
	found   []himalayaFound
	jmap    string
	webSite bool // what looks like JMAP is only a web site
	took    time.Duration
	unknown probe.Key
}

// himalayaFound is a server with the question that it comes from.
type himalayaFound struct {
	Server
	source string
	note   func(Verdict)
}

func (h *himalayaSearch) expect(ctx context.Context) {
	h.expectServices(ctx, h.domain, imapService, imapsService, submissionService, jmapService)
	h.Expect(ctx, DNS("MX", h.domain), PACC(h.domain), DNS("TXT", "_ua-auto-config."+h.domain), DNS("TXT", h.domain),
		AutoconfigFor("https", h.domain, h.Address), WellKnown("https", h.domain), ISPDB(ISPDBThunderbird, h.domain))
}

// fetch fetches a page for a way of its own. All ways run beside each other, so that the longest one
// counts.
func (h *himalayaSearch) fetch(ctx context.Context, q probe.WebQuestion, rules Fetching) Page {
	page := h.Fetch(ctx, q, rules)
	h.took = max(h.took, page.Took)
	if !page.Failure.Known() {
		h.unknown = page.Key()
	}
	return page
}

// byPACC takes the document if one of the TXT records has the digest of its bytes. It reads the
// member names of draft -02.
func (h *himalayaSearch) byPACC(ctx context.Context) {
	page := h.fetch(ctx, PACC(h.domain), himalayaFetching)
	if !page.Success() {
		h.NotePage(page, failed(page), page.Says())
		return
	}
	q := DNS("TXT", "_ua-auto-config."+h.domain)
	answer := h.Asker.DNS(ctx, q)
	if !answer.Failure.Known() {
		h.unknown = q.Key()
	}
	right := func(r dns.Record) bool { return PACCDigest(dns.Unquote(r.Data), page.Body) }
	if !slices.ContainsFunc(answer.OfType("TXT"), right) {
		h.NotePage(page, Passed, "no record has the digest of this document")
		h.Note(q.Key(), Passed, "no digest of the document")
		return
	}
	pacc, err := document.ReadPACC(page.Body)
	if err != nil {
		h.NotePage(page, Passed, page.Says()+", no PACC document")
		return
	}
	for _, p := range pacc.Protocols {
		server := Server{Hostname: p.Host, SocketType: account.SSL}
		switch p.Name {
		case "imap":
			server.Type, server.Port = account.IMAP, 993
		case "smtp":
			server.Type, server.Port = account.SMTP, 465
		case "jmap":
			h.jmap = p.URL
			continue
		default:
			continue
		}
		h.add(page, server)
	}
}

// PACCDigest reports whether the text of a TXT record has the SHA-256 digest of the document.
func PACCDigest(text string, body []byte) bool {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(tag, "="); ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	sum := sha256.Sum256(body)
	return strings.EqualFold(tags["v"], "UAAC1") && strings.EqualFold(tags["a"], "sha256") &&
		tags["d"] == base64.StdEncoding.EncodeToString(sum[:])
}

// byMailconf follows a TXT record "mailconf=URL" at the domain.
func (h *himalayaSearch) byMailconf(ctx context.Context) {
	q := DNS("TXT", h.domain)
	answer := h.Asker.DNS(ctx, q)
	if !answer.Failure.Known() {
		h.unknown = q.Key()
	}
	for _, r := range answer.OfType("TXT") {
		if url, ok := strings.CutPrefix(dns.Unquote(r.Data), "mailconf="); ok {
			h.byDocument(ctx, Get(strings.TrimSpace(url)))
			return
		}
	}
}

// byDocument takes all servers of a document, if it knows each word in it.
func (h *himalayaSearch) byDocument(ctx context.Context, q probe.WebQuestion) {
	page := h.fetch(ctx, q, himalayaFetching)
	switch {
	case page.Status/100 == 3:
		h.NotePage(page, Passed, "it follows no redirect")
	case !page.Success():
		h.NotePage(page, failed(page), page.Says())
	default:
		servers, why := himalayaServers(document.ReadXML(page.Body), h.Address)
		if why != "" {
			h.NotePage(page, Passed, why)
			return
		}
		for _, server := range servers {
			h.add(page, server)
		}
	}
}

func (h *himalayaSearch) add(page Page, server Server) {
	h.found = append(h.found, himalayaFound{server, page.URL(), func(v Verdict) { h.NotePage(page, v, "") }})
}

// himalayaServers reads the servers. A type, a security or an authentication that it does not
// know, or a missing version or id, makes the whole document unreadable
// (src/autoconfig/config.rs).
func himalayaServers(x document.XML, a account.Address) (servers []Server, why string) {
	const unreadable = "it cannot read the document: "
	if x.Error != nil && x.Error.Kind != document.Late { // as quick-xml
		return nil, unreadable + x.Error.Text
	}
	provider := x.Root.Child("emailProvider")
	_, hasVersion := x.Root.Attribute("version")
	if _, hasID := provider.Attribute("id"); provider == nil || !hasVersion || !hasID {
		return nil, unreadable + "no version, no provider or no id"
	}
	for _, section := range slices.Concat(provider.All("incomingServer"), provider.All("outgoingServer")) {
		server := Server{Hostname: expand(strings.TrimSpace(section.Content("hostname")), a), SocketType: account.SSL}
		t, _ := section.Attribute("type")
		server.Type = account.ServerType(t)
		switch server.Type {
		case account.IMAP, account.POP3, account.SMTP:
		default:
			return nil, unreadable + "a server of the type " + t
		}
		switch text := strings.TrimSpace(section.Content("socketType")); text {
		case "", "SSL", "tls":
		case "STARTTLS", "starttls":
			server.SocketType = account.STARTTLS
		case "plain":
			server.SocketType = account.Plain
		default:
			return nil, unreadable + "the socketType " + text
		}
		for _, authentication := range section.All("authentication") {
			switch text := strings.TrimSpace(authentication.Text); text {
			case "password-cleartext", "password-encrypted", "NTLM", "client-IP-address", "TLS-client-cert",
				"OAuth2", "none":
			default:
				return nil, unreadable + "the authentication " + text
			}
		}
		server.Port = account.DefaultPort(server.Type, server.SocketType)
		if text := strings.TrimSpace(section.Content("port")); text != "" {
			port, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				return nil, unreadable + "the port " + text
			}
			server.Port = int(port)
		}
		// A user name is offered only if it looks like an address.
		if name := expand(strings.TrimSpace(section.Content("username")), a); strings.Contains(name, "@") {
			server.Username = name
		}
		servers = append(servers, server)
	}
	return servers, ""
}

// bySRV asks for _imaps, _imap and _submission, and not for _submissions. The first record by priority
// and weight counts.
func (h *himalayaSearch) bySRV(ctx context.Context) {
	for _, service := range []string{imapsService, imapService, submissionService} {
		records, known := h.lookupServices(ctx, h.domain, service)
		if !known {
			h.unknown = ServiceQuestion(service, h.domain).Key()
		}
		if record, ok := firstByPriority(records); ok {
			h.found = append(h.found,
				himalayaFound{record.server(""), SRVSource, func(v Verdict) { h.Note(record.key, v, "") }})
		}
	}
}

// byJMAP takes any answer 2xx or 401 at /.well-known/jmap for a JMAP server (src/rfc8620/well_known.rs),
// also that of a web site that answers to every path. It comes after PACC's.
func (h *himalayaSearch) byJMAP(ctx context.Context) {
	records, known := h.lookupServices(ctx, h.domain, jmapService)
	if !known {
		h.unknown = ServiceQuestion(jmapService, h.domain).Key()
	}
	host := h.domain
	if record, ok := firstByPriority(records); ok {
		host = record.Target + ":" + strconv.Itoa(record.Port)
	}
	page := h.fetch(ctx, Get("https://"+host+"/.well-known/jmap"), himalayaJMAP)
	switch {
	case page.Success() && !bytes.HasPrefix(bytes.TrimSpace(page.Body), []byte("{")):
		h.webSite = true
		h.NotePage(page, Spoilt, page.Says()+", taken for JMAP")
	case page.Success(), page.Failure == nil && page.Status == 401:
		h.NotePage(page, Took, "")
		h.jmap = cmp.Or(h.jmap, page.Question.URL)
	default:
		h.NotePage(page, failed(page), page.Says())
	}
}

// best returns the server of a type with the best security, the last one of those: what
// DNS says of TLS at once comes before what documents say.
func (h *himalayaSearch) best(t account.ServerType) (best himalayaFound, ok bool) {
	rank := map[account.SocketType]int{account.Plain: 0, account.STARTTLS: 1, account.SSL: 2}
	for _, f := range h.found {
		if f.Type == t && f.Hostname != "" && (!ok || rank[f.SocketType] >= rank[best.SocketType]) {
			best, ok = f, true
		}
	}
	return best, ok
}

func (h *himalayaSearch) choose(ctx context.Context) Forecast {
	f := Forecast{Took: min(h.took, himalayaLimit)}
	incoming, hasIncoming := h.best(account.IMAP)
	switch {
	case h.jmap != "":
		f.Outcome, f.Source = SetsUp, h.jmap
		f.Servers = []Server{{Type: account.JMAP, URL: h.jmap, Username: h.Address.String()}}
		return f
	case !hasIncoming:
		f.Outcome, f.But = Fails, "no configuration found"
		f.Person = "Could not automatically discover a configuration"
		return f
	}
	incoming.note(Took)
	f.Source = incoming.source
	if incoming.Username == "" {
		incoming.Username = h.Address.String()
	}
	outgoing, hasOutgoing := h.best(account.SMTP)
	if !hasOutgoing {
		f = h.Finish(ctx, f, []Server{incoming.Server}, nil, himalayaTesting)
		if f.Outcome == SetsUp {
			f.Outcome, f.But = SetsUpBut, "cannot send: the account has no sending server"
		}
		return f
	}
	outgoing.note(Took)
	outgoing.Username = incoming.Username
	f = h.Finish(ctx, f, []Server{incoming.Server}, []Server{outgoing.Server}, himalayaTesting)
	if f.Outcome == SetsUp && h.webSite {
		f.Outcome, f.But = SetsUpBut, "it offers the web site of "+h.domain+" as JMAP first: choose IMAP"
	}
	return f
}
