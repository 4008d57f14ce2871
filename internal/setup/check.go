package setup

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"signpost/account"
	"signpost/templates"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

// LoadTemplates reads an operator's directory of templates over the embedded ones
// and checks all of them. Faults and warnings name files in the directory; the error
// is of type fault.List.
func LoadTemplates(dir string) (*templates.Set, error) {
	set, err := templates.Load(regular.DirFS(dir))
	if err == nil {
		err = Check(set)
	}
	if faults, ok := errors.AsType[fault.List](err); ok {
		return nil, inDir(dir, faults)
	}
	if err != nil {
		return nil, err
	}
	set.Warnings = inDir(dir, set.Warnings)
	return set, nil
}

// inDir adds the directory to the faults' file names. A fault of an operator's file
// may also show in an embedded one.
func inDir(dir string, faults []fault.Fault) fault.List {
	faults = slices.Clone(faults)
	for i := range faults {
		file := filepath.Join(dir, filepath.FromSlash(faults[i].File))
		if _, err := os.Lstat(file); err != nil && faults[i].File != "." {
			file = "(the page's own) " + faults[i].File
		}
		faults[i].File = file
	}
	return faults
}

// Check writes every kind of page in every language and discards it, so that faults
// in an operator's templates are found when they are loaded and not by the first
// visitor who meets them. The error is of type fault.List.
func Check(set *templates.Set) error {
	var faults fault.List
	for _, lang := range set.Languages {
		pages := samplePages(set, lang)
		for _, page := range pages {
			faults = addFault(faults, lang.Execute(io.Discard, page))
		}
		for _, page := range []*pageData{pages[0], pages[len(pages)-1]} { // a form and an answer
			faults = addFault(faults, lang.ExecuteFragment(io.Discard, page))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// addFault adds the fault of an error to the list, if there is one that is not there yet.
func addFault(faults fault.List, err error) fault.List {
	if err == nil {
		return faults
	}
	if f := templates.FaultOf(err); !slices.Contains(faults, f) {
		return append(faults, f)
	}
	return faults
}

// samplePages returns pages that together have everything that a page can have.
func samplePages(set *templates.Set, lang *templates.Language) []*pageData {
	contact := account.Contact{URL: "https://example.com/help", Email: "help@example.com", Phone: "+46 8 123 45 67"}
	yes, no := func() bool { return true }, func() bool { return false }
	full := newHandler(nil, Options{
		Name: "setup.example.com", Templates: set, Signed: yes,
		Branding: Branding{Name: "Example Mail", Logo: Logo{[]byte("x"), "image/png"}, Contact: contact},
	})
	private := newHandler(nil, Options{Templates: set, Signed: yes, Trusted: no})
	bare := newHandler(nil, Options{Templates: set})
	q := request{hasAddress: true, input: "anna@example.com", name: "Anna Ek", language: lang.Tag}
	pages := []*pageData{bare.newPage(request{}, lang), full.newPage(q, lang)}
	for _, change := range []func(*pageData){
		func(p *pageData) { p.Problem = string(problemEmpty) },
		func(p *pageData) { p.Problem = string(problemNoAt) },
		func(p *pageData) { p.Problem = string(problemAddress) },
		func(p *pageData) { p.Unknown = "example.com" },
		func(p *pageData) { p.Failed = true },
	} {
		page := full.newPage(q, lang)
		change(page)
		pages = append(pages, page)
	}
	address, err := account.ParseAddress(q.input)
	if err != nil {
		panic(err) // a constant
	}
	for _, provider := range sampleProviders() {
		s := account.Settings{Address: address, Login: address, Provider: provider, Servers: provider.Servers}
		visitors := map[device]*handler{allDevices: full, linux: private, unknown: bare}
		if provider.Webmail != "" { // its words depend on the device
			visitors[mac], visitors[thunderbird], visitors[newOutlook], visitors[chromeOS] = bare, bare, bare, bare
		}
		for d, h := range visitors {
			page := h.newPage(q, lang)
			l := links{name: q.name, lang: q.language}
			page.Answer = h.newAnswer(clientSettings{s, s, s, s, s}, l, lang, d, false)
			if d == mac {
				page.Answer.offerIPad()
			}
			pages = append(pages, page)
		}
	}
	return pages
}

// sampleProviders returns a provider of each kind that the page distinguishes.
func sampleProviders() []*account.Provider {
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	server := func(t account.ServerType, port int) account.Server {
		s := account.Server{Type: t, Hostname: "mail.example.com", Port: port, SocketType: account.SSL,
			Authentication: password, Login: login}
		if t.HasURL() {
			s.Hostname, s.Port, s.SocketType, s.URL = "", 0, "", "https://mail.example.com/"
		}
		return s
	}
	with := func(a account.Authentication, s account.Server) account.Server {
		s.Authentication = []account.Authentication{a}
		return s
	}
	local := func(s account.Server) account.Server {
		s.Login.Username = account.EmailLocalPart
		return s
	}
	token := func(s account.Server) account.Server {
		if !s.Type.HasURL() {
			s.Hostname = "mail.outlook.com" // one of the few that programs know how to sign in to
		}
		return with(account.OAuth2Auth, s)
	}
	imap, pop, smtp := server(account.IMAP, 993), server(account.POP3, 995), server(account.SMTP, 465)
	plain, relay, otherPort := imap, with(account.NoAuthentication, smtp), server(account.ActiveSync, 0)
	plainRelay := relay
	plain.SocketType, plainRelay.SocketType = account.Plain, account.Plain
	otherPort.URL = "https://mail.example.com:8443/" // which no profile can have, nor a plain server
	phone := server(account.ActiveSync, 0)
	phone.Login.DomainName = "EXAMPLE"
	provider := func(servers ...account.Server) *account.Provider {
		return &account.Provider{ID: "example", DisplayName: "Example Mail", Servers: servers}
	}
	full := provider(imap, pop, smtp, phone, server(account.EWS, 0), server(account.CalDAV, 0),
		server(account.CardDAV, 0), server(account.JMAP, 0), server(account.ManageSieve, 4190))
	texts := []account.Title{{Language: "en", Text: "Example"}}
	full.Webmail = "https://webmail.example.com"
	full.Documentation = []account.Documentation{{URL: "https://example.com/help", Titles: texts}}
	full.Notices = []account.Notice{{Texts: texts, URL: "https://example.com/news"}, {Texts: texts}}
	full.Support = account.Support{
		Status:        "https://status.example.com",
		PasswordReset: "https://example.com/password",
		AppPassword:   "https://example.com/app",
		ControlPanel:  "https://example.com/panel",
		Contact:       account.Contact{URL: "https://example.com", Email: "help@example.com", Phone: "+46"},
		Limits:        account.SendingLimits{PerAddress: 300, PerDomain: 2000, Wait: time.Hour},
		Checks:        [][]account.Title{texts},
	}
	redirected, redirectedOnly := provider(token(imap), token(smtp)), provider()
	redirect := &account.AutodiscoverRedirect{Hostname: "autodiscover.example.com"}
	redirected.AutodiscoverRedirect, redirectedOnly.AutodiscoverRedirect = redirect, redirect
	tickets := provider(with(account.GSSAPI, imap), with(account.GSSAPI, smtp))
	tickets.AliasSignsInAsMailbox = true
	either := provider(token(imap), token(smtp))
	for i := range either.Servers {
		either.Servers[i].Authentication = append(either.Servers[i].Authentication, account.PasswordCleartext)
	}
	either.Support.AppPassword = full.Support.AppPassword
	webmail := provider(server(account.JMAP, 0))
	webmail.Webmail = full.Webmail
	return []*account.Provider{
		full, provider(imap, smtp), provider(pop, smtp), provider(plain, smtp),
		provider(phone), provider(token(phone)), provider(otherPort),
		provider(imap, smtp, server(account.CalDAV, 0)), provider(server(account.CalDAV, 0)),
		provider(imap, relay), provider(imap, plainRelay), provider(local(imap), local(smtp)),
		provider(server(account.EWS, 0)), provider(token(imap), token(smtp)),
		redirected, redirectedOnly, tickets, either, webmail,
	}
}
