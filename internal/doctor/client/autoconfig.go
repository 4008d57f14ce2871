package client

import (
	"strings"

	"signpost/account"
)

// placeholders are those of draft-ietf-mailmaint-autoconfig.
const (
	emailAddress   = "%EMAILADDRESS%"
	emailLocalPart = "%EMAILLOCALPART%"
	emailDomain    = "%EMAILDOMAIN%"
)

// expand replaces all placeholders in a text, wherever they stand.
func expand(text string, a account.Address) string {
	if !strings.Contains(text, "%") {
		return text
	}
	return strings.NewReplacer(emailAddress, a.String(), emailLocalPart, a.Local(), emailDomain,
		a.Domain()).Replace(text)
}
