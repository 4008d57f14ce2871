package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// DNS holds which name servers are asked, and what domains get in DNS.
type DNS struct {
	Servers   []string // ip:port; empty for the system's own
	Timeout   time.Duration
	Addresses []netip.Addr // records that customers' names get instead of a CNAME to Name
	TTL       time.Duration
	Updates   []Update
}

// Update is the primary server of a zone and the TSIG key (RFC 8945) for updates.
// Either KeyFile or the three fields of a key are set.
type Update struct {
	Zone    string // "*" for every zone that no other entry names
	Primary string // host or IP address, with or without a port
	KeyFile string

	KeyName, KeyAlgorithm, KeySecret string
}

var dnsKeys = keys[DNS]{
	"servers": func(d *DNS, v *value) {
		for item := range v.list("IP addresses") {
			d.Servers = append(d.Servers, item.dnsServer())
		}
	},
	"timeout": func(d *DNS, v *value) { d.Timeout = v.duration(100*time.Millisecond, time.Minute) },
	"addresses": func(d *DNS, v *value) {
		for item := range v.oneOrList("IP addresses") {
			address := item.recordAddress()
			if address.IsValid() && slices.Contains(d.Addresses, address) {
				item.fault("%s is already listed", quote(address.String()))
			}
			d.Addresses = append(d.Addresses, address)
		}
	},
	"ttl": func(d *DNS, v *value) { d.TTL = v.duration(time.Second, 7*24*time.Hour) },
	"updates": func(d *DNS, v *value) {
		for item := range v.list("{zone: …, primary: …, keyFile: …}") {
			var u Update
			has := updateKeys.read(item, &u, "zone", "primary")
			switch {
			case has == nil:
				continue
			case has["key"] == nil && has["keyFile"] == nil:
				item.fault("keyFile is missing; tsig-keygen writes such a file")
			case has["key"] != nil && has["keyFile"] != nil:
				item.fault("has both key and keyFile; remove one")
			}
			if u.Zone != "" && slices.ContainsFunc(d.Updates, func(other Update) bool { return other.Zone == u.Zone }) {
				item.fault("the zone %s is already listed", quote(u.Zone))
			}
			d.Updates = append(d.Updates, u)
		}
	},
}

var updateKeys = keys[Update]{
	"zone": func(u *Update, v *value) {
		if u.Zone = "*"; !v.isWord("*") {
			u.Zone = v.host(false)
		}
	},
	"primary": func(u *Update, v *value) { u.Primary = v.primary() },
	"keyFile": func(u *Update, v *value) { u.KeyFile = v.file() },
	"key":     readTSIGKey,
}

// tsigAlgorithms are those that RFC 8945 §6 does not advise against.
var tsigAlgorithms = []string{"hmac-sha256", "hmac-sha384", "hmac-sha512"}

var tsigKeys = keys[Update]{
	"name":      func(u *Update, v *value) { u.KeyName = v.text("the name of a key") },
	"algorithm": func(u *Update, v *value) { u.KeyAlgorithm = choice(v, "a TSIG algorithm", tsigAlgorithms) },
	"secret":    func(u *Update, v *value) { u.KeySecret = v.text("a secret in base64") },
}

// readTSIGKey quotes nothing unknown in a message: it may be the secret, in the
// wrong place.
func readTSIGKey(u *Update, v *value) {
	if v.kind == scalar {
		v.fault("is a single value, want a mapping with name, algorithm and secret")
		return
	}
	unknown := false
	if v.kind == mapping {
		for key := range v.entries() {
			if tsigKeys[key.text] == nil {
				v.faultAt(key.line, "unknown key; valid here: name, algorithm, secret")
				unknown = true
			}
		}
	}
	if !unknown {
		u.KeyAlgorithm = tsigAlgorithms[0]
		tsigKeys.read(v, u, "name", "secret")
	}
}

// recordAddress reads an address for an A or AAAA record.
func (v *value) recordAddress() netip.Addr {
	text := v.text("an IP address")
	if text == "" {
		return netip.Addr{}
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" || address.Is4In6() {
		v.fault("%s is not an IP address for an A or AAAA record", quote(text))
		return netip.Addr{}
	}
	return address
}

// dnsServer reads the IP address of a DNS server, with port 53 if it has none.
func (v *value) dnsServer() string {
	const wanted = "an IP address, with or without a port"
	text := v.text(wanted)
	if text == "" {
		return ""
	}
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(address, 53).String()
	}
	if server, err := netip.ParseAddrPort(text); err == nil && server.Port() > 0 {
		return server.String()
	}
	v.fault("%s is not %s", quote(text), wanted)
	return ""
}

// primary reads a host name or an IP address, with or without a port.
func (v *value) primary() string {
	const wanted = "a host or an IP address, with or without a port"
	text := v.text(wanted)
	if text == "" {
		return ""
	}
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return text
	}
	if server, err := netip.ParseAddrPort(text); err == nil && server.Port() > 0 {
		return text
	}
	host, port, hasPort := strings.Cut(text, ":")
	if hasPort && !isPort(port) {
		v.fault("%s is not %s", quote(text), wanted)
		return ""
	}
	if v.hostText(host, false) == "" {
		return ""
	}
	return text
}
