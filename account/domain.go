package account

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ParseDomain parses a domain name in Unicode or A-labels, in any case, with or
// without the final dot. It returns lower-case A-labels, the only form that DNS,
// certificates and Thunderbird's parser accept. (Thunderbird's wizard refuses an
// address in U-labels before it asks any server.) The error is a *DomainError
// for an address literal, an IP address and any other text that is not a host
// name.
func ParseDomain(text string) (string, error) {
	text = strings.TrimSuffix(text, ".")
	if text == "" {
		return "", &DomainError{"is empty"}
	}
	if len(text) > 4*maxAddress {
		return "", &DomainError{"is too long"}
	}
	if lower := strings.ToLower(text); isHostname(lower) {
		return checkLabels(lower)
	}
	if !utf8.ValidString(text) {
		return "", &DomainError{"is not UTF-8"}
	}
	// idna.Lookup is UTS #46 with the checks of IDNA2008 (RFC 5891 §5).
	ascii, err := idna.Lookup.ToASCII(text)
	if err != nil {
		return "", &DomainError{"is not a domain name"}
	}
	ascii = strings.TrimSuffix(ascii, ".")
	if !isHostname(ascii) {
		return "", &DomainError{"is not a domain name"}
	}
	return checkLabels(ascii)
}

// isHostname reports whether the name has only lower-case letters, digits, hyphens
// and dots. It does not check the labels.
func isHostname(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}

// checkLabels returns name, for which isHostname must be true, or an error if its
// labels break the rules of host names (RFC 1123 §2.1, RFC 1035 §2.3.4).
func checkLabels(name string) (string, error) {
	if len(name) > 253 {
		return "", &DomainError{"is longer than 253 bytes"}
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return "", &DomainError{"has an empty label"}
		case len(label) > 63:
			return "", &DomainError{"has a label of more than 63 bytes"}
		case label[0] == '-' || label[len(label)-1] == '-':
			return "", &DomainError{"has a label that begins or ends with a hyphen"}
		}
		if strings.HasPrefix(label, "xn--") {
			if _, err := idna.Lookup.ToUnicode(label); err != nil {
				return "", &DomainError{"has a label that is not valid IDNA"}
			}
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" {
		// No top-level domain is numeric (RFC 3696 §2), so this is an IP address.
		return "", &DomainError{"is an IP address or ends in a number"}
	}
	return name, nil
}

// Spellings returns a domain in A-labels and, if it is international, in Unicode.
func Spellings(domain string) []string {
	if !strings.Contains(domain, "xn--") {
		return []string{domain}
	}
	if unicode, err := idna.Lookup.ToUnicode(domain); err == nil && unicode != domain {
		return []string{domain, unicode}
	}
	return []string{domain}
}

// HostPrefixes returns the labels, each with its dot, that clients put in front of
// a mail domain to find its settings: autoconfig (Thunderbird and other readers
// of autoconfig), autodiscover (Outlook and Exchange clients) and ua-auto-config
// (PACC).
func HostPrefixes() []string { return hostPrefixes[:] }

var hostPrefixes = [...]string{"autoconfig.", "autodiscover.", "ua-auto-config."}
