package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// manyDomains is the number of domains from which on they are in a file of their own.
const manyDomains = 20

// File is a file of domains beside a configuration.
type File struct {
	Name string
	Data []byte
}

// Write returns the configuration of a draft whose products all have few domains.
func Write(d *draft.Draft) []byte {
	text, _ := WriteFiles(d, "")
	return text
}

// WriteFiles returns the configuration of a draft, and the files of domains that it names. Their
// names begin with the prefix; without one, all domains are in the configuration.
func WriteFiles(d *draft.Draft, prefix string) ([]byte, []File) {
	w := &writer{prefix: prefix}
	w.comment(0, "signpost.yaml, written from "+d.Title)
	w.entries(0, d.Keys)
	w.line(0, "providers:")
	ids := map[string]bool{}
	for _, p := range d.Products {
		w.product(p, ids)
	}
	if len(d.Accounts) > 0 {
		w.line(0, "accounts:")
		w.list(1, d.Accounts)
	}
	if len(d.Lost) > 0 {
		w.line(0, "")
		w.comment(0, "Not carried over:")
		for _, r := range d.Lost {
			lines := Wrap(fmt.Sprintf("%s: %s", r.Place, r.Text), width-2)
			w.line(0, "# - "+strings.Join(lines, "\n#   "))
		}
	}
	return []byte(w.b.String()), w.files
}

// writer writes YAML as operators write it: two spaces, short mappings on one line.
type writer struct {
	b      strings.Builder
	prefix string
	files  []File
}

func (w *writer) line(indent int, text string) {
	if text != "" {
		w.b.WriteString(strings.Repeat("  ", indent))
	}
	w.b.WriteString(text + "\n")
}

// width is that of a comment.
const width = 100

// comment writes a text as lines of a comment.
func (w *writer) comment(indent int, text string) {
	for _, line := range Wrap(text, width-2*indent) {
		w.line(indent, "# "+line)
	}
}

// Wrap breaks a text into lines of at most so many characters, where it has spaces.
func Wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func (w *writer) entries(indent int, m draft.Map) {
	for _, e := range m {
		if e.Comment != "" {
			w.comment(indent, e.Comment)
		}
		switch v := e.Value.(type) {
		case []draft.Map:
			w.line(indent, e.Key+":")
			w.list(indent+1, v)
		case draft.Map:
			if text := flow(v); len(text)+2*indent < width && !strings.Contains(text, "\n") && depth(v) <= 1 {
				w.line(indent, e.Key+": "+text)
				continue
			}
			w.line(indent, e.Key+":")
			w.entries(indent+1, v)
		default:
			w.line(indent, e.Key+": "+flow(v))
		}
	}
}

// list writes mappings as items of a list.
func (w *writer) list(indent int, items []draft.Map) {
	for _, item := range items {
		inner := &writer{}
		inner.entries(indent+1, item)
		text := inner.b.String()
		lead := strings.Repeat("  ", indent)
		if strings.HasPrefix(strings.TrimSpace(text), "#") { // a comment comes before the item
			comment, rest, _ := strings.Cut(text, "\n")
			w.b.WriteString(lead + strings.TrimSpace(comment) + "\n")
			text = rest
		}
		w.b.WriteString(lead + "- " + strings.TrimPrefix(text, lead+"  "))
	}
}

// depth returns how many mappings are within one another.
func depth(m draft.Map) (most int) {
	for _, e := range m {
		if inner, ok := e.Value.(draft.Map); ok {
			most = max(most, 1+depth(inner))
		}
		if _, ok := e.Value.([]draft.Map); ok {
			most = 2
		}
		if e.Comment != "" {
			most = 2
		}
	}
	return most
}

// flow writes a value on one line.
func flow(value any) string {
	switch v := value.(type) {
	case string:
		return scalar(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = flow(item)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case []string:
		texts := make([]string, len(v))
		for i, text := range v {
			texts[i] = scalar(text)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case draft.Map:
		texts := make([]string, len(v))
		for i, e := range v {
			texts[i] = scalar(e.Key) + ": " + flow(e.Value)
		}
		return "{" + strings.Join(texts, ", ") + "}"
	}
	return fmt.Sprint(value)
}

// plain matches what YAML reads as the text itself, also between braces, if it is no number and
// no word with a meaning.
var plain = regexp.MustCompile(`^[\pL/][\pL\pN /._@+-]*[\pL\pN/._-]$|^\pL$|^https://[\pL\pN/._%?=&+-]+$`)

// scalar writes a text on one line, in quotation marks where it could be read otherwise.
func scalar(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return ' '
		}
		return r
	}, text))
	switch strings.ToLower(text) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
	default:
		if plain.MatchString(text) && !strings.Contains(text, " #") {
			return text
		}
	}
	quoted, _ := json.Marshal(text)
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoted))
}

func (w *writer) product(p draft.Product, ids map[string]bool) {
	for _, guess := range p.Guesses {
		w.comment(1, "guessed: "+guess)
	}
	v := p.Provider
	id := uniqueID(v, p.Domains, ids)
	m := draft.Map{{Key: "id", Value: id}}
	add := func(key, value string) {
		if value != "" {
			m = append(m, draft.Entry{Key: key, Value: value})
		}
	}
	add("displayName", v.DisplayName)
	add("displayShortName", v.DisplayShortName)
	domains := slices.Clone(p.Domains)
	if p.Any {
		domains = append(domains, "*")
	}
	switch {
	case len(domains) >= manyDomains && w.prefix != "":
		file := File{w.prefix + id + ".txt", []byte(strings.Join(domains, "\n") + "\n")}
		w.files = append(w.files, file)
		items := append([]any{draft.Map{{Key: "file", Value: file.Name}}}, withAliases(nil, p.Aliases)...)
		m = append(m, draft.Entry{Key: "domains", Value: items})
	case len(p.Aliases) > 0:
		m = append(m, draft.Entry{Key: "domains", Value: withAliases(domains, p.Aliases)})
	case len(domains) > 0:
		m = append(m, draft.Entry{Key: "domains", Value: domains})
	}
	if len(p.MX) > 0 {
		m = append(m, draft.Entry{Key: "mx", Value: p.MX})
	}
	add("mailHost", v.MailHost)
	if r := v.AutodiscoverRedirect; r != nil {
		redirect := draft.Map{{Key: "hostname", Value: r.Hostname}}
		if r.Hostname == "" {
			redirect = draft.Map{{Key: "redirectAddr", Value: r.Address}}
		}
		m = append(m, draft.Entry{Key: "autodiscover", Value: redirect})
	}
	if len(v.Servers) > 0 && !slices.ContainsFunc(v.Servers, account.Server.TakesPassword) {
		m = append(m, draft.Entry{Key: "passwords", Value: false})
	}
	inner := &writer{}
	inner.entries(2, m)
	w.b.WriteString("  - " + strings.TrimPrefix(inner.b.String(), "    "))
	if len(v.Servers) > 0 {
		w.line(2, "servers:")
		for _, server := range v.Servers {
			w.line(3, "- "+flow(serverOf(server)))
		}
	}
	rest := draft.Map{}
	for _, link := range []draft.Entry{{Key: "webmail", Value: v.Webmail}, {Key: "logo", Value: v.Logo},
		{Key: "developer", Value: v.Developer}} {
		if link.Value != "" {
			rest = append(rest, link)
		}
	}
	if len(v.Documentation) > 0 {
		rest = append(rest, draft.Entry{Key: "documentation", Value: documentation(v.Documentation)})
	}
	if o := v.OAuth2; o != nil {
		oauth := draft.Map{{Key: "issuer", Value: o.Issuer}, {Key: "scope", Value: o.Scopes},
			{Key: "authURL", Value: o.AuthURL}, {Key: "tokenURL", Value: o.TokenURL}}
		if o.ClientID != "" {
			oauth = append(oauth, draft.Entry{Key: "clientID", Value: o.ClientID})
		}
		rest = append(rest, draft.Entry{Key: "oAuth2", Value: oauth})
	}
	w.entries(2, rest)
}

// documentation returns pages for people with their titles.
func documentation(pages []account.Documentation) []draft.Map {
	var items []draft.Map
	for _, page := range pages {
		item := draft.Map{{Key: "url", Value: page.URL}}
		titles := draft.Map{}
		for _, title := range page.Titles {
			titles = append(titles, draft.Entry{Key: title.Language, Value: title.Text})
		}
		if len(titles) > 0 {
			item = append(item, draft.Entry{Key: "descr", Value: titles})
		}
		items = append(items, item)
	}
	return items
}

// withAliases returns domains with their other names.
func withAliases(domains []string, aliases map[string]string) []any {
	var items []any
	for _, domain := range domains {
		items = append(items, domain)
	}
	for _, alias := range slices.Sorted(maps.Keys(aliases)) {
		items = append(items, draft.Map{{Key: "alias", Value: alias}, {Key: "of", Value: aliases[alias]}})
	}
	return items
}

// serverOf returns a server without what is the default.
func serverOf(s account.Server) draft.Map {
	m := draft.Map{{Key: "type", Value: string(s.Type)}}
	if s.Type.HasURL() {
		m = append(m, draft.Entry{Key: "url", Value: s.URL})
	} else {
		m = append(m, draft.Entry{Key: "hostname", Value: s.Hostname}, draft.Entry{Key: "port", Value: s.Port},
			draft.Entry{Key: "socketType", Value: string(s.SocketType)})
	}
	if name := s.Login.Username; name != "" && name != account.EmailAddress {
		m = append(m, draft.Entry{Key: "username", Value: name})
	}
	if s.Login.DomainName != "" {
		m = append(m, draft.Entry{Key: "domainName", Value: s.Login.DomainName})
	}
	switch {
	case len(s.Authentication) == 1 && s.Authentication[0] != account.PasswordCleartext:
		m = append(m, draft.Entry{Key: "authentication", Value: string(s.Authentication[0])})
	case len(s.Authentication) > 1:
		var all []string
		for _, a := range s.Authentication {
			all = append(all, string(a))
		}
		m = append(m, draft.Entry{Key: "authentication", Value: all})
	}
	if s.PathPrefix != "" {
		m = append(m, draft.Entry{Key: "pathPrefix", Value: s.PathPrefix})
	}
	if s.PrincipalURL != "" {
		m = append(m, draft.Entry{Key: "principalURL", Value: s.PrincipalURL})
	}
	return m
}

// withoutMarks returns a text whose letters have no diacritical marks.
func withoutMarks(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text))
}

var notID = regexp.MustCompile(`[^a-z0-9]+`)

// uniqueID returns an id of a provider.
func uniqueID(p account.Provider, domains []string, taken map[string]bool) string {
	text := p.ID
	if text == "" {
		text = p.DisplayName
	}
	if text == "" && len(domains) > 0 {
		text = domains[0]
	}
	text = strings.Trim(notID.ReplaceAllString(strings.ToLower(withoutMarks(text)), "-"), "-")
	if text == "" {
		text = "mail"
	}
	id := text
	for i := 2; taken[id]; i++ {
		id = text + "-" + strconv.Itoa(i)
	}
	taken[id] = true
	return id
}
