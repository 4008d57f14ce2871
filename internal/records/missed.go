package records

import (
	"slices"
	"strings"

	"signpost/account"
)

// Missed says, in whole sentences, which clients cannot find the provider's servers by
// DNS, or end up wrong there, and why.
func Missed(p *account.Provider) []string {
	var otherLogin, unencrypted []string
	hasSTARTTLS, hasImplicit := false, false
	for _, server := range p.Servers {
		s := serviceOf(server)
		if s == nil || s.absent == "" {
			continue
		}
		if p.NothingWithoutAddress {
			return []string{"No SRV records, because of withoutAddress: nothing. aerc and Claws Mail find nothing by " +
				"DNS, nor does FairEmail from F-Droid; Evolution then depends on autoconfig."}
		}
		name := string(server.Type)
		switch {
		case !isEncrypted(server):
			unencrypted = appendNew(unencrypted, name)
		case !server.SignsInWithAddress():
			otherLogin = appendNew(otherLogin, name)
		case server.Type == account.SMTP:
			hasImplicit = hasImplicit || s.encrypted
			hasSTARTTLS = hasSTARTTLS || !s.encrypted
		}
	}
	var missed []string
	if len(otherLogin) > 0 {
		missed = append(missed, "No SRV records for "+listed(otherLogin)+", because the user name is not the "+
			"mail address. aerc and Claws Mail find nothing by DNS, nor does FairEmail from F-Droid; "+
			"Evolution then depends on autoconfig.")
	}
	if len(unencrypted) > 0 {
		have := "has"
		if len(unencrypted) > 1 {
			have = "have"
		}
		missed = append(missed, "No SRV records for "+listed(unencrypted)+", which "+have+" no encryption (RFC 8314). "+
			"aerc and Claws Mail find nothing by DNS, nor does FairEmail from F-Droid.")
	}
	if hasImplicit && !hasSTARTTLS {
		missed = append(missed, "Mail is sent on port 465 only. aerc and Claws Mail look for port 587 with STARTTLS; "+
			"without it they suggest the mail domain as the server, unencrypted. Add smtp on 587.")
	}
	return missed
}

// listed lists names, as in "imap, pop3 and smtp".
func listed(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
