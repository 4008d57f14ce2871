package records

import (
	"slices"
	"strings"

	"signpost/account"
)

// Missed says, in whole sentences, which clients cannot find the provider's servers by
// DNS, or end up wrong there, and why.
func Missed(p *account.Provider) []string {
	if p.NothingWithoutAddress {
		return []string{"No SRV records, because of withoutAddress: nothing. aerc and Claws Mail find nothing by DNS, " +
			"nor does FairEmail from F-Droid; Evolution finds autoconfig alone."}
	}
	var otherLogin, unencrypted []string
	hasSTARTTLS, hasImplicit := false, false
	for _, server := range p.Servers {
		s := serviceOf(server)
		if s == nil || s.absent == "" {
			continue
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
		missed = append(missed, "No SRV records for "+strings.Join(otherLogin, ", ")+", because the user name is not the "+
			"mail address. aerc and Claws Mail find nothing by DNS, nor does FairEmail from F-Droid; "+
			"Evolution finds autoconfig alone.")
	}
	if len(unencrypted) > 0 {
		missed = append(missed, "No SRV records for "+strings.Join(unencrypted, ", ")+" without encryption (RFC 8314). "+
			"aerc and Claws Mail find nothing by DNS, nor does FairEmail from F-Droid.")
	}
	if hasImplicit && !hasSTARTTLS {
		missed = append(missed, "Sending on port 465 alone. aerc and Claws Mail look for STARTTLS only, on port 587; "+
			"they propose the mail domain itself, without TLS.")
	}
	return missed
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
