package server

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"signpost/account"
	"signpost/mobileconfig"
)

// oldProfiles are the paths at which other tools have Apple profiles, without the slash that may
// follow. They stand in old welcome mails, so they lead to the profile or to the page here.
//
//	/mobileconfig                             automx 1 to 3, automx2, Modoboa, Mailu
//	/email.mobileconfig                       Monogramm, go-autoconfig, wdes, Plesk
//	/apple.mobileconfig                       Mailu
//	/mail/ios.mobileconfig                    solarssk
//	/.well-known/apple-mail.mobileconfig      solarssk
//	/.well-known/mobileconfig                 bongo
//	/mailinabox.mobileconfig                  Mail-in-a-Box
//	/mobileconfig.php                         mailcow
//	/profile.mobileconfig                     mox, aardsoft: at the names of a domain
//	/profile.mobileconfig.qrcode.png          mox
//	/apple                                    wdes: a form
var oldProfiles = []string{
	"/mobileconfig", "/email.mobileconfig", "/apple.mobileconfig", "/mail/ios.mobileconfig",
	"/.well-known/apple-mail.mobileconfig", "/.well-known/mobileconfig", "/mailinabox.mobileconfig",
	"/mobileconfig.php", "/profile.mobileconfig", "/profile.mobileconfig.qrcode.png", "/apple",
}

// errElsewhere says that another service answers for the domain: nothing here is about its profiles.
var errElsewhere = fmt.Errorf("the mail of the domain is with another service: %w", account.ErrUnknownDomain)

// maxOldForm is the size of the largest form that is read.
const maxOldForm = 8 << 10

// oldURLs redirects from the URLs of other tools to the profile for an address, or to the page.
// It leads nowhere but to the service's own name, and only from names that are hosted here.
type oldURLs struct {
	name    string // the service's own
	resolve account.Resolver
}

func (h oldURLs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Robots-Tag", "noindex")
	var q oldQuery
	status := http.StatusFound
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		q.read(strings.NewReader(r.URL.RawQuery))
	case http.MethodPost:
		status = http.StatusSeeOther
		q.read(strings.NewReader(r.URL.RawQuery))
		if err := q.read(http.MaxBytesReader(w, r.Body, maxOldForm)); err != nil {
			http.Error(w, "the form cannot be read", http.StatusBadRequest)
			return
		}
	default:
		header.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "only GET, HEAD and POST are answered here", http.StatusMethodNotAllowed)
		return
	}
	domain, err := h.hosted(r.Context(), r.Host)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	target, err := h.target(r.Context(), r.URL.Path, q, domain)
	if bad, ok := errors.AsType[*account.AddressError](err); ok {
		http.Error(w, "this is not a mail address: "+bad.Error(), http.StatusBadRequest) // which does not quote it
		return
	} else if err != nil {
		h.fail(w, r, err)
		return
	}
	if h.name != "" {
		target = "https://" + h.name + target
	}
	header.Set("Location", target)
	w.WriteHeader(status)
}

func (h oldURLs) fail(w http.ResponseWriter, r *http.Request, err error) {
	if account.IsUnknown(err) {
		notFound(w, r)
		return
	}
	w.Header().Set("Retry-After", "60")
	http.Error(w, "this cannot be answered now, try again", http.StatusServiceUnavailable)
}

// orOld answers requests for a profile that spell the address as other tools do, addresses=… as
// mox or email=…, by a redirect, and all others by profiles.
func orOld(profiles http.Handler, old oldURLs) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ours := account.RawParameter(r.URL.RawQuery, "emailaddress"); !ours {
			_, email := account.RawParameter(r.URL.RawQuery, "email")
			_, addresses := account.RawParameter(r.URL.RawQuery, "addresses")
			if email || addresses {
				old.ServeHTTP(w, r)
				return
			}
		}
		profiles.ServeHTTP(w, r)
	})
}

// hosted returns the mail domain of a host name that clients derive from it, empty for the
// service's own. The error satisfies account.IsUnknown if the name is not hosted here, or if
// another service answers for its domain.
func (h oldURLs) hosted(ctx context.Context, name string) (string, error) {
	isOwn := isOwnName(name, h.name)
	if isOwn && h.name != "" {
		return "", nil
	}
	domain, err := h.domain(ctx, name)
	if isOwn && err != errElsewhere && errors.Is(err, account.ErrUnknownDomain) {
		stateOf(ctx).err = nil // without a name, the page and the profiles are at every name
		return "", nil
	}
	return domain, err
}

// domain returns the mail domain that a host name belongs to.
func (h oldURLs) domain(ctx context.Context, name string) (string, error) {
	host, err := account.ParseDomain(hostOnly(name))
	if err != nil {
		return "", account.ErrUnknownDomain
	}
	s, err := h.resolve(ctx, account.Query{Host: host, Client: account.Apple, Fallback: true})
	switch {
	case errors.Is(err, account.ErrAddressRequired):
		stateOf(ctx).err = nil // the redirect needs no address
	case err != nil:
		return "", err
	case len(s.Servers) == 0:
		return "", errElsewhere
	}
	for _, prefix := range account.HostPrefixes() {
		if domain, ok := strings.CutPrefix(host, prefix); ok {
			return domain, nil
		}
	}
	return host, nil
}

// target returns the path and query to which a request leads: the profile for its address, or
// the page if it names none or asks for a page.
func (h oldURLs) target(ctx context.Context, path string, q oldQuery, domain string) (string, error) {
	text := q.address()
	if text == "" || path == "/" {
		return "/", nil
	}
	if !strings.Contains(text, "@") && domain != "" {
		text += "@" + domain // Monogramm and wdes take the part before the @ alone
	}
	a, err := account.ParseAddress(text)
	if err != nil {
		return "", err
	}
	s, err := h.resolve(ctx, account.Query{Address: a, Client: account.Apple})
	if err != nil {
		return "", err
	}
	if len(s.Servers) == 0 {
		return "", errElsewhere
	}
	target := "/profile.mobileconfig?emailaddress=" + url.QueryEscape(a.String())
	if strings.EqualFold(strings.TrimSuffix(path, "/"), "/profile.mobileconfig.qrcode.png") {
		return "/setup/code.png?emailaddress=" + url.QueryEscape(a.String()), nil
	}
	if name := q.name(); name != "" {
		target += "&name=" + url.QueryEscape(name)
	}
	if q.onlyMail {
		target += "&only=mail"
	}
	return target, nil
}

// oldQuery holds what a query or a form says to other tools. It has no place for a password.
type oldQuery struct {
	addresses [3]string // emailaddress, email, addresses: still escaped
	names     [2]string // name, cn
	onlyMail  bool      // mailcow's only_email
}

// read takes what is known from a query or a form. Of anything else, such as a password, only the
// name is looked at.
func (q *oldQuery) read(form io.Reader) error {
	pairs := bufio.NewScanner(form)
	pairs.Buffer(make([]byte, 0, 512), maxOldForm)
	pairs.Split(splitPairs)
	for pairs.Scan() {
		pair := pairs.Bytes()
		key, _, _ := bytes.Cut(pair, []byte("="))
		var into *string
		switch strings.ToLower(string(key)) {
		case "emailaddress":
			into = &q.addresses[0]
		case "email":
			into = &q.addresses[1]
		case "addresses":
			into = &q.addresses[2]
		case "name":
			into = &q.names[0]
		case "cn":
			into = &q.names[1]
		case "only_email":
			q.onlyMail = true
		}
		if into != nil && *into == "" && len(key) < len(pair) {
			*into = string(pair[len(key)+1:])
		}
	}
	return pairs.Err()
}

// splitPairs is a bufio.SplitFunc that returns what stands between ampersands.
func splitPairs(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '&'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// address returns the first address, as its person typed it.
func (q *oldQuery) address() string {
	text := cmp.Or(q.addresses[:]...)
	text, _, _ = strings.Cut(text, ",") // mox's addresses: the first signs in
	if !strings.Contains(text, "@") {
		// A form writes a space as a plus sign, and an address has spaces at its ends only. A
		// plus sign in the middle belongs to the address: links hold it unescaped.
		text = strings.Trim(text, "+")
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	text, _, _ = strings.Cut(text, ",")
	return strings.TrimSpace(text)
}

// name returns the name of the person.
func (q *oldQuery) name() string {
	text := strings.ReplaceAll(cmp.Or(q.names[:]...), "+", " ")
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return mobileconfig.CleanName(text)
}
