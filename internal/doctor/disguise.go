package doctor

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// disguise puts a stand-in in the place of a mailbox in questions for servers outside the
// mailbox's domain, and the mailbox in the place of the stand-in in their answers. So strangers
// do not learn that the mailbox exists, and clients are forecast as if they had been told.
type disguise struct {
	local string
	site  string         // names in it belong to the mailbox's domain
	real  *regexp.Regexp // the local part with the @ after it, in any spelling
	value *regexp.Regexp // the local part as a value of a URL's query
}

// mask matches the stand-in.
var mask = regexp.MustCompile(standIn + `(` + at + `)`)

// at matches an @ in a URL, also in one that is a value in another.
const at = `@|%(?:25)*40`

// another matches the mailbox of a POX question: also one to which a server sent the client.
var another = regexp.MustCompile(`(<EMailAddress>)[^<@]*@`)

// newDisguise returns the disguise for an address, nil if the address is the stand-in itself.
func newDisguise(a account.Address) *disguise {
	if a.Local() == standIn {
		return nil
	}
	spelling := inAnySpelling(a.Local())
	return &disguise{
		local: a.Local(), site: dns.Registrable(a.Domain()),
		real:  beforeAt(a.Local()),
		value: regexp.MustCompile("(?i)([?&][^=&#]*=)" + spelling + "($|[&#])"),
	}
}

// beforeAt returns an expression for a local part in any case with the @ after it.
func beforeAt(local string) *regexp.Regexp {
	return regexp.MustCompile("(?i)" + inAnySpelling(local) + "(" + at + ")")
}

// inAnySpelling returns an expression for a local part as it stands in URLs and in XML. The domain
// after it may have another spelling.
func inAnySpelling(local string) string {
	var b strings.Builder
	for _, r := range local {
		escaped := ""
		for _, c := range []byte(string(r)) {
			escaped += fmt.Sprintf("%%(?:25)*%02x", c)
		}
		fmt.Fprintf(&b, "(?:%s|%s|%s)", regexp.QuoteMeta(string(r)), escaped,
			regexp.QuoteMeta(inXML.Replace(string(r))))
	}
	return b.String()
}

var inXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;")

// cannotHide reports whether a question for a stranger has the local part as a word at a place, such as the path,
// where a stand-in could make it another question. A local part that is a word of such questions
// anyway, such as mail, tells nothing.
func (d *disguise) cannotHide(q probe.WebQuestion) bool {
	if !d.isForeign(q) || commonWords()[strings.ToLower(d.local)] {
		return false
	}
	plain := d.question(q).URL
	for range 3 { // a URL within a URL is encoded as often
		if decoded, err := url.PathUnescape(plain); err == nil {
			plain = decoded
		}
	}
	return replaceWord(plain, strings.ToLower(d.local), "") != plain
}

// commonWords are those that stand in reports and in questions of clients.
var commonWords = sync.OnceValue(ownWords)

// hides reports whether a question names the mailbox to a stranger.
func (d *disguise) hides(q probe.WebQuestion) bool { return d.isForeign(q) && d.question(q) != q }

// isForeign reports whether a question is for a server outside the mailbox's domain.
func (d *disguise) isForeign(q probe.WebQuestion) bool {
	if d == nil {
		return false
	}
	u, err := url.Parse(q.URL)
	return err != nil || u.Hostname() != d.site && !strings.HasSuffix(u.Hostname(), "."+d.site)
}

// question returns a question with the stand-in.
func (d *disguise) question(q probe.WebQuestion) probe.WebQuestion {
	for _, text := range []*string{&q.URL, &q.Body, &q.Header} {
		*text = d.real.ReplaceAllString(*text, standIn+"$1")
	}
	q.URL = d.value.ReplaceAllString(q.URL, "${1}"+standIn+"$2")
	q.Body = another.ReplaceAllString(q.Body, "${1}"+standIn+"@")
	return q
}

// answer returns an answer about the stand-in as one about the mailbox.
func (d *disguise) answer(a probe.WebAnswer) probe.WebAnswer {
	header := map[string]string{}
	for name, value := range a.Header {
		header[name] = mask.ReplaceAllStringFunc(value, func(found string) string {
			return url.QueryEscape(d.local) + found[len(standIn):]
		})
	}
	a.Header = header
	isXML := bytes.HasPrefix(bytes.TrimLeft(a.Body, "\ufeff \t\r\n"), []byte("<"))
	a.Body = mask.ReplaceAllFunc(a.Body, func(found []byte) []byte {
		local := d.local
		switch after := string(found[len(standIn):]); {
		case after != "@":
			local = url.QueryEscape(local)
		case isXML:
			local = inXML.Replace(local)
		}
		return append([]byte(local), found[len(standIn):]...)
	})
	return a
}
