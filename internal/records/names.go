package records

// HostTypes are the record types at the names that clients ask over HTTP.
var HostTypes = []string{"CNAME", "A", "AAAA"}

var (
	srvType      = []string{"SRV"}
	textType     = []string{"TXT"}
	srvTextTypes = []string{"SRV", "TXT"}
)

// Name is a name below a domain, and the types of records that clients look for
// there.
type Name struct {
	Label string
	Types []string
}

// Names lists every name below a domain that clients look at to find a mailbox.
// What a domain should have is a part of it. Nothing outside of it is ever
// compared or written, except for the record that says what Signpost published.
var Names = []Name{
	{"autoconfig", HostTypes},
	{"autodiscover", HostTypes},
	{"ua-auto-config", HostTypes},
	{"_ua-auto-config", textType},
	{"_autodiscover._tcp", srvType},
	{"_imaps._tcp", srvType},
	{"_imap._tcp", srvType},
	{"_pop3s._tcp", srvType},
	{"_pop3._tcp", srvType},
	{"_submissions._tcp", srvType},
	{"_submission._tcp", srvType},
	{"_caldavs._tcp", srvTextTypes},
	{"_caldav._tcp", srvTextTypes},
	{"_carddavs._tcp", srvTextTypes},
	{"_carddav._tcp", srvTextTypes},
	{"_jmap._tcp", srvType},
	{"_sieve._tcp", srvType},
}

// TypesAt returns the record types that Names has for a label, or nil.
func TypesAt(label string) []string {
	for _, name := range Names {
		if name.Label == label {
			return name.Types
		}
	}
	return nil
}

// WildcardProbe is a label that no domain has, so that an answer for it comes
// from a wildcard.
const WildcardProbe = "signpost-asks-for-a-wildcard"
