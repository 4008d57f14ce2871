package doctor

import (
	"bytes"
	"net/url"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// disguise puts a stand-in in the place of a mailbox in questions for servers outside the
// mailbox's domain, and the mailbox in the place of the stand-in in their answers. So strangers
// do not learn that the mailbox exists, and clients are forecast as if they had been told.
type disguise struct {
	site       string   // names in it belong to the mailbox's domain
	real, mask []string // spellings of the address, in the same order
}

// newDisguise returns the disguise for an address, nil if the address is the stand-in itself.
func newDisguise(a account.Address) *disguise {
	if a.Local() == standIn {
		return nil
	}
	d := &disguise{site: dns.Registrable(a.Domain())}
	for _, local := range []string{a.Local(), strings.ToLower(a.Local())} {
		d.real = append(d.real, spellings(local)...)
		d.mask = append(d.mask, spellings(standIn)...)
	}
	return d
}

// spellings returns how a local part stands in URLs and documents, with the @ after it: the
// domain after that may have another spelling.
func spellings(local string) []string {
	return []string{
		url.QueryEscape(local) + "%40", url.PathEscape(local) + "%40", url.PathEscape(local) + "@", local + "@",
		inXML.Replace(local) + "@",
	}
}

var inXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;")

// hides reports whether a question names the mailbox to a stranger.
func (d *disguise) hides(q probe.WebQuestion) bool {
	if d == nil {
		return false
	}
	u, err := url.Parse(q.URL)
	if err == nil && (u.Hostname() == d.site || strings.HasSuffix(u.Hostname(), "."+d.site)) {
		return false
	}
	for _, real := range d.real {
		if strings.Contains(q.URL, real) || strings.Contains(q.Body, real) || strings.Contains(q.Header, real) {
			return true
		}
	}
	return false
}

// question returns a question with the stand-in.
func (d *disguise) question(q probe.WebQuestion) probe.WebQuestion {
	for i, real := range d.real {
		for _, text := range []*string{&q.URL, &q.Body, &q.Header} {
			*text = strings.ReplaceAll(*text, real, d.mask[i])
		}
	}
	return q
}

// answer returns an answer about the stand-in as one about the mailbox.
func (d *disguise) answer(a probe.WebAnswer) probe.WebAnswer {
	header := map[string]string{}
	for name, value := range a.Header {
		for i, mask := range d.mask {
			value = strings.ReplaceAll(value, mask, d.real[i])
		}
		header[name] = value
	}
	a.Header = header
	for i, mask := range d.mask {
		a.Body = bytes.ReplaceAll(a.Body, []byte(mask), []byte(d.real[i]))
	}
	return a
}
