package dns

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Registrable returns the domain of a name that its owner has registered, or the name if
// it is itself a suffix below which anybody can register.
func Registrable(name string) string {
	name = strings.TrimSuffix(name, ".")
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}
