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
)

// LoadTemplates reads an operator's folder of templates over the embedded ones
// and checks all of them. Faults and warnings name files in the folder; the
// error is of type fault.List.
func LoadTemplates(folder string) (*templates.Set, error) {
	set, err := templates.Load(os.DirFS(folder))
	if err == nil {
		err = Check(set)
	}
	var faults fault.List
	if errors.As(err, &faults) {
		return nil, within(folder, faults)
	} else if err != nil {
		return nil, err
	}
	set.Warnings = within(folder, set.Warnings)
	return set, nil
}

// within names the files as the operator finds them. A fault of an operator's
// may also show in one of the page's own.
func within(folder string, faults []fault.Fault) fault.List {
	faults = slices.Clone(faults)
	for i := range faults {
		file := filepath.Join(folder, filepath.FromSlash(faults[i].File))
		if _, err := os.Lstat(file); err != nil && faults[i].File != "." {
			file = "(the page's own) " + faults[i].File
		}
		faults[i].File = file
	}
	return faults
}

// Check shows every page that there is, in every language, to nobody, so that a
// fault in an operator's templates is found when they are loaded and not by the
// first person who meets it. The error is of type fault.List.
func Check(set *templates.Set) error {
	var faults fault.List
	for _, lang := range set.Languages {
		for _, v := range samples(set, lang) {
			err := lang.Execute(io.Discard, v)
			if err == nil {
				continue
			}
			if f := templates.FaultOf(err); !slices.Contains(faults, f) {
				faults = append(faults, f)
			}
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// samples are views that between them have everything that a view can have.
func samples(set *templates.Set, lang *templates.Language) []*view {
	contact := account.Contact{URL: "https://example.com/help", Email: "help@example.com", Phone: "+46 8 123 45 67"}
	signed := func() bool { return true }
	h := Handler(nil, Options{Name: "setup.example.com", Templates: set, Signed: signed, Branding: Branding{
		Name: "Example Mail", Logo: Logo{[]byte("x"), "image/png"}, Contact: contact,
	}}).(*handler)
	bare := Handler(nil, Options{Templates: set}).(*handler)
	asked := request{asked: true, typed: "anna@example.com", name: "Anna Ek", language: lang.Tag}
	views := []*view{bare.frame(request{}, lang), h.frame(asked, lang)}
	for _, change := range []func(*view){
		func(v *view) { v.Problem = string(problemEmpty) },
		func(v *view) { v.Problem = string(problemNoAt) },
		func(v *view) { v.Problem = string(problemAddress) },
		func(v *view) { v.Unknown = "example.com" },
		func(v *view) { v.Failed = true },
	} {
		v := h.frame(asked, lang)
		change(v)
		views = append(views, v)
	}
	for _, p := range sampleProviders() {
		a, err := account.ParseAddress(asked.typed)
		if err != nil {
			panic(err) // a constant
		}
		s := account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers}
		c := clients{s, s, s, s}
		for _, handler := range []*handler{h, bare} {
			v := handler.frame(asked, lang)
			v.Answer = handler.answerFor(c, links{name: asked.name, lang: asked.language}, lang, everything, false)
			views = append(views, v)
		}
	}
	return views
}

// sampleProviders are providers of each kind that the page tells apart.
func sampleProviders() []*account.Provider {
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	server := func(t account.ServerType, port int) account.Server {
		s := account.Server{Type: t, Hostname: "mail.example.com", Port: port, SocketType: account.SSL, Authentication: password, Login: login}
		if t.HasURL() {
			s.Hostname, s.Port, s.SocketType, s.URL = "", 0, "", "https://mail.example.com/"
		}
		return s
	}
	token := func(s account.Server) account.Server {
		s.Authentication = []account.Authentication{account.OAuth2Auth}
		return s
	}
	imap, pop, smtp := server(account.IMAP, 993), server(account.POP3, 995), server(account.SMTP, 465)
	plain, otherPort := imap, server(account.ActiveSync, 0)
	plain.SocketType, otherPort.URL = account.Plain, "https://mail.example.com:8443/" // neither can be in a profile
	phone := server(account.ActiveSync, 0)
	phone.Login.DomainName = "EXAMPLE"
	provider := func(servers ...account.Server) *account.Provider {
		return &account.Provider{ID: "example", DisplayName: "Example Mail", Servers: servers}
	}
	full := provider(imap, pop, smtp, phone, server(account.EWS, 0), server(account.CalDAV, 0), server(account.CardDAV, 0),
		server(account.JMAP, 0), server(account.ManageSieve, 4190))
	texts := []account.Title{{Language: "en", Text: "Example"}}
	full.Webmail = "https://webmail.example.com"
	full.Documentation = []account.Documentation{{URL: "https://example.com/help", Titles: texts}}
	full.Notices = []account.Notice{{Texts: texts, URL: "https://example.com/news"}, {Texts: texts}}
	full.Support = account.Support{
		Status: "https://status.example.com", PasswordReset: "https://example.com/password", ControlPanel: "https://example.com/panel",
		Contact: account.Contact{URL: "https://example.com", Email: "help@example.com", Phone: "+46"},
		Limits:  account.SendingLimits{PerAddress: 300, PerDomain: 2000, Wait: time.Hour},
		Checks:  [][]account.Title{texts},
	}
	handedOver := provider(token(imap), token(smtp))
	handedOver.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover.example.com"}
	return []*account.Provider{
		full, provider(imap, smtp), provider(pop, smtp), provider(plain, smtp), provider(phone), provider(otherPort),
		provider(imap, smtp, server(account.CalDAV, 0)),
		provider(server(account.EWS, 0)), provider(server(account.CalDAV, 0)), provider(token(imap), token(smtp)), handedOver,
	}
}
