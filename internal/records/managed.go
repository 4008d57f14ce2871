package records

var (
	hostTypes    = []string{"CNAME", "A", "AAAA"}
	srvType      = []string{"SRV"}
	textType     = []string{"TXT"}
	srvTextTypes = []string{"SRV", "TXT"}
)

// managed is every name below a domain that clients look at to find a mailbox,
// with the types that they look for. What a domain should have is a part of it;
// nothing outside of it is ever compared or written, but for the marker.
var managed = []struct {
	label string
	types []string
}{
	{"autoconfig", hostTypes},
	{"autodiscover", hostTypes},
	{"ua-auto-config", hostTypes},
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

// managedTypes are the types that are ours at a name, given below its domain.
func managedTypes(label string) []string {
	for _, m := range managed {
		if m.label == label {
			return m.types
		}
	}
	return nil
}
