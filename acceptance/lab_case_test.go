package acceptance

import (
	"net/http"
	"slices"
	"strings"
)

// plant is a fault that is planted in the laboratory: a domain that is healthy but for it.
// Its twin has the same shape without the fault.
type plant struct {
	name   string   // label of the domain below example
	faults []string // IDs of the findings that the diagnosis must have, in any order
	always []string // IDs of those that the twin has, too: it lacks what this fault needs out of the way
	shape  edits    // what the twin shares
	fault  edits
	// mended is the change at a mail server that the cure names, as records: the host name
	// moves to a listener that is healthy.
	mended []string
	// tb is what Thunderbird 153 was seen to do with such a domain. Empty where no other
	// observation than this laboratory's own is known.
	tb string
}

// edits are changes to a healthy domain. In all texts @ stands for the domain.
type edits struct {
	// zone has lines "owner TYPE data" to add. A line "-owner" or "-owner TYPE" removes.
	zone []string
	// web replaces answers by "scheme host" or "host", with the host's label or @.
	web map[string]behaviour
	// doc and pox are replacements, old and new in turn, in the documents.
	doc, pox []string
	// certificate is the kind of certificate by the host's label or @.
	certificate map[string]certificateKind
}

// behaviour answers a request in place of a healthy server, to which it may hand it on.
type behaviour func(w http.ResponseWriter, r *http.Request, healthy http.HandlerFunc)

// certificateKind is a way in which a certificate or a handshake is wrong.
type certificateKind string

const (
	foreignName  certificateKind = "of another name"
	expired      certificateKind = "expired"
	selfSigned   certificateKind = "self-signed"
	leafOnly     certificateKind = "without its intermediate"
	oldTLS       certificateKind = "TLS 1.1 at most"
	wildcardSite certificateKind = "of the wildcard's web site"
)

// healthyZone are the records of a domain with which nothing is wrong.
var healthyZone = []string{
	"@ MX 10 mx1.in.hoster.example.",
	"@ A " + webIP,
	"autoconfig A " + webIP,
	"autodiscover A " + webIP,
	"_imaps._tcp SRV 0 1 993 in7.hoster.example.",
	"_submissions._tcp SRV 0 1 465 out7.hoster.example.",
	"_submission._tcp SRV 0 1 587 out7.hoster.example.",
	"_imap._tcp SRV 0 0 0 .",
	"_pop3._tcp SRV 0 0 0 .",
	"_pop3s._tcp SRV 0 0 0 .",
}

// The documents of a healthy domain. WHERE is the place at which the document was fetched,
// so that the client's account shows it.
const healthyDoc = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="@">
    <domain>@</domain>
    <displayName>WHERE</displayName>
    <displayShortName>Mail</displayShortName>
    <incomingServer type="imap">
      <hostname>in7.hoster.example</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>out7.hoster.example</hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>
`

const healthyPOX = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
    <User><DisplayName>WHERE</DisplayName></User>
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
      <Protocol>
        <Type>IMAP</Type><Server>in7.hoster.example</Server><Port>993</Port>
        <LoginName>anna%40</LoginName><DomainRequired>off</DomainRequired><SPA>off</SPA>
        <SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired>
      </Protocol>
      <Protocol>
        <Type>SMTP</Type><Server>out7.hoster.example</Server><Port>465</Port>
        <LoginName>anna%40</LoginName><DomainRequired>off</DomainRequired><SPA>off</SPA>
        <SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired>
        <UsePOPAuth>on</UsePOPAuth><SMTPLast>off</SMTPLast>
      </Protocol>
    </Account>
  </Response>
</Autodiscover>
`

const notAvailable = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response>
    <Error Time="16:56:32.6164027" Id="4294967295">
      <ErrorCode>601</ErrorCode>
      <Message>Provider is not available</Message>
      <DebugData/>
    </Error>
  </Response>
</Autodiscover>
`

// subject is a domain of the laboratory: a plant or its twin.
type subject struct {
	plant
	domain string
	twin   bool
}

// golden is what Thunderbird must do, if it is known.
func (s subject) golden() string {
	return strings.NewReplacer("@@", "@"+s.domain, "@", s.domain).Replace(s.tb)
}

// address is the person at the domain.
func (s subject) address() string { return "anna@" + s.domain }

// edits returns what is not healthy at the domain.
func (s subject) edits() edits {
	if s.twin {
		return s.shape
	}
	return edits{
		zone:        append(slices.Clone(s.shape.zone), s.fault.zone...),
		web:         merge(s.shape.web, s.fault.web),
		doc:         append(slices.Clone(s.shape.doc), s.fault.doc...),
		pox:         append(slices.Clone(s.shape.pox), s.fault.pox...),
		certificate: merge(s.shape.certificate, s.fault.certificate),
	}
}

func merge[V any](maps ...map[string]V) map[string]V {
	all := map[string]V{}
	for _, m := range maps {
		for key, value := range m {
			all[key] = value
		}
	}
	return all
}

// zone returns the records of the domain, one a line, with absolute names.
func (s subject) zone() []string { return editZone(healthyZone, s.edits().zone, s.domain) }

// editZone applies the lines of edits to records and makes all names absolute.
func editZone(records, changes []string, domain string) []string {
	records = slices.Clone(records)
	for _, change := range changes {
		remove, isRemoval := strings.CutPrefix(change, "-")
		if !isRemoval {
			records = append(records, change)
			continue
		}
		records = slices.DeleteFunc(records, func(record string) bool {
			return strings.HasPrefix(record, remove+" ")
		})
	}
	for i, record := range records {
		owner, rest, _ := strings.Cut(record, " ")
		name := owner + "." + domain + "."
		if owner == "@" {
			name = domain + "."
		} else if strings.HasSuffix(owner, ".") {
			name = owner
		}
		records[i] = name + " 60 IN " + strings.ReplaceAll(rest, "@", domain)
	}
	return records
}

// document returns the text of a document as the domain has it, fetched at a place.
func (s subject) document(text string, replacements []string, where string) string {
	text = strings.NewReplacer(replacements...).Replace(text)
	return strings.NewReplacer("%40", "@"+s.domain, "@", s.domain, "WHERE", where).Replace(text)
}

// subjects returns every plant and its twin.
func subjects() []subject {
	var all []subject
	for _, p := range slices.Concat(dnsPlants, webPlants, tlsPlants, documentPlants, mailPlants, combinations) {
		all = append(all, subject{p, p.name + ".example", false}, subject{p, p.name + "-ok.example", true})
	}
	return all
}
