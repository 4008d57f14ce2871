package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// DNS is whom the service asks, and what domains get in DNS because of it.
type DNS struct {
	// Servers to ask, ip:port; none for the system's own.
	Servers []string
	// Timeout of one try.
	Timeout time.Duration

	// Addresses are what customers' names get instead of a CNAME to Name.
	Addresses []netip.Addr
	// TTL of the records; 0 for the default.
	TTL time.Duration
	// Updates are where records may be published.
	Updates []Update
}

// Update is the primary of zones and the key (RFC 8945) that it takes updates
// with. Either KeyFile or the three fields of a key are set.
type Update struct {
	Zone    string // "*" for any that no other names
	Primary string // host or IP address, with or without a port
	KeyFile string

	KeyName, KeyAlgorithm, KeySecret string
}

var dnsKeys = keys[DNS]{
	"servers": func(d *DNS, v *value) {
		for item := range v.list("IP addresses") {
			if server, ok := item.dnsServer(); ok {
				d.Servers = append(d.Servers, server)
			}
		}
	},
	"timeout": func(d *DNS, v *value) { d.Timeout, _ = v.duration(100*time.Millisecond, time.Minute) },
	"addresses": func(d *DNS, v *value) {
		for item := range v.oneOrList("IP addresses") {
			text, ok := item.text("an IP address")
			if !ok {
				continue
			}
			address, err := netip.ParseAddr(text)
			switch {
			case err != nil, address.Zone() != "", address.Is4In6():
				item.fault("%s is not an IP address that DNS could hold", quote(text))
				continue
			case slices.Contains(d.Addresses, address):
				item.fault("%s is already listed", quote(text))
				continue
			}
			d.Addresses = append(d.Addresses, address)
		}
	},
	"ttl": func(d *DNS, v *value) { d.TTL, _ = v.duration(time.Second, 7*24*time.Hour) },
	"updates": func(d *DNS, v *value) {
		for item := range v.list("{zone: …, primary: …, keyFile: …}") {
			var u Update
			has, ok := updateKeys.read(item, &u)
			if !ok {
				continue
			}
			item.require(has, "zone", "primary")
			switch {
			case has["key"] == nil && has["keyFile"] == nil:
				item.fault("keyFile is missing; tsig-keygen prints a file that will do")
			case has["key"] != nil && has["keyFile"] != nil:
				item.fault("has both key and keyFile; one names the key")
			}
			if slices.ContainsFunc(d.Updates, func(other Update) bool { return other.Zone == u.Zone }) {
				item.fault("the zone %s is already listed", quote(u.Zone))
			}
			d.Updates = append(d.Updates, u)
		}
	},
}

var updateKeys = keys[Update]{
	"zone": func(u *Update, v *value) {
		if v.kind == scalar && v.node.text == "*" {
			u.Zone = "*"
			return
		}
		u.Zone, _ = v.host(false)
	},
	"primary": func(u *Update, v *value) { u.Primary, _ = v.primary() },
	"keyFile": func(u *Update, v *value) { u.KeyFile, _ = v.file() },
	"key": func(u *Update, v *value) {
		// Nothing below is quoted: it may be the secret in the wrong place.
		if v.kind == scalar {
			v.fault("is one word, want name, algorithm and secret below it")
			return
		}
		strange := false
		if v.kind == mapping {
			for key := range v.entries() {
				if updateKeyKeys[key.text] == nil {
					v.faultAt(key.line, "unknown key; name, algorithm and secret may stand here")
					strange = true
				}
			}
		}
		if strange {
			return
		}
		if has, ok := updateKeyKeys.read(v, u); ok {
			v.require(has, "name", "secret")
		}
		if u.KeyAlgorithm == "" {
			u.KeyAlgorithm = tsigAlgorithms[0]
		}
	},
}

// tsigAlgorithms are those that RFC 8945 §6 does not advise against.
var tsigAlgorithms = []string{"hmac-sha256", "hmac-sha384", "hmac-sha512"}

var updateKeyKeys = keys[Update]{
	"name": func(u *Update, v *value) { u.KeyName, _ = v.text("the name of a key") },
	"algorithm": func(u *Update, v *value) {
		text, ok := v.text("an algorithm")
		switch {
		case !ok:
		case !slices.Contains(tsigAlgorithms, text):
			v.fault("%s is not one of %s%s", quote(text), strings.Join(tsigAlgorithms, ", "), didYouMean(text, tsigAlgorithms))
		default:
			u.KeyAlgorithm = text
		}
	},
	"secret": func(u *Update, v *value) { u.KeySecret, _ = v.text("a secret in base64") },
}

// primary reads a host name or an IP address, with or without a port.
func (v *value) primary() (string, bool) {
	const wanted = "a host or an IP address, with or without a port"
	text, ok := v.text(wanted)
	if !ok {
		return "", false
	}
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return text, true
	}
	if at, err := netip.ParseAddrPort(text); err == nil && at.Port() > 0 {
		return text, true
	}
	host, port, hasPort := strings.Cut(text, ":")
	if hasPort && !isPort(port) {
		v.fault("%s is not %s", quote(text), wanted)
		return "", false
	}
	if _, ok := v.hostText(host, false); !ok {
		return "", false
	}
	return text, true
}

func readDNS(l *loader, v *value) { dnsKeys.read(v, &l.DNS) }
