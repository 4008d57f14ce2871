package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"signpost/internal/certs"
	"signpost/internal/dns"
	"signpost/internal/fault"
)

// DNS holds which name servers are asked, and what domains get in DNS.
type DNS struct {
	Servers   []string // ip:port; empty for the system's own
	Timeout   time.Duration
	Addresses []netip.Addr // records that customers' names get instead of a CNAME to Name
	TTL       time.Duration
	// CAAIdentities are the domains by which CAA records know the authority that
	// issues the certificates; empty for what is known of it otherwise.
	CAAIdentities []string

	updates []update
}

// ProxyIdentities returns the domains by which CAA records know the authorities of a
// proxy in front. Without a word about them, they are those of Caddy.
func (c *Config) ProxyIdentities() []string {
	if len(c.DNS.CAAIdentities) > 0 {
		return c.DNS.CAAIdentities
	}
	return certs.ProxyIdentities
}

// update is where records of a zone are published. The key is in keyFile unless that
// is empty.
type update struct {
	dns.Update
	keyFile string
}

// Updates returns where records may be published, with the keys. It checks the keys
// and reads their files only now: the service does not need them, and the user that
// runs it need not be allowed to read them. The error is a fault.List.
func (c *Config) Updates() ([]dns.Update, error) {
	var updates []dns.Update
	var faults fault.List
	for i, u := range c.DNS.updates {
		if u.keyFile != "" {
			key, err := dns.ReadKeyFile(u.keyFile)
			if _, ok := errors.AsType[*fs.PathError](err); ok {
				err = fmt.Errorf("cannot read %s: %w", quote(u.keyFile), fault.WithoutPath(err))
			}
			if err != nil {
				faults = append(faults, c.Fault(fmt.Sprintf("dns.updates[%d].keyFile", i), err))
			}
			u.Key = key
		} else if err := u.Key.Check(); err != nil {
			faults = append(faults, c.Fault(fmt.Sprintf("dns.updates[%d].key", i), err))
		}
		updates = append(updates, u.Update)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return updates, nil
}

// UpdateKeyFiles returns the files that hold secrets of TSIG keys: key files, and the
// configuration where a key stands in it.
func (c *Config) UpdateKeyFiles() (files []string) {
	for _, u := range c.DNS.updates {
		if u.keyFile == "" {
			files = append(files, c.Files[0])
		} else {
			files = append(files, u.keyFile)
		}
	}
	return files
}

var dnsKeys = keys[DNS]{
	"servers": func(d *DNS, v *value) { d.Servers = each(v.list("IP addresses"), (*value).dnsServer) },
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
	"caaIdentities": func(d *DNS, v *value) {
		for item := range v.oneOrList("domains of authorities, such as letsencrypt.org") {
			d.CAAIdentities = append(d.CAAIdentities, item.host())
		}
	},
	"ttl":     func(d *DNS, v *value) { d.TTL = v.duration(time.Second, 7*24*time.Hour) },
	"updates": readUpdates,
}

func readUpdates(d *DNS, v *value) {
	zones := map[string]bool{}
	for item := range v.list("{zone: …, primary: …, keyFile: …}") {
		var u update
		has := updateKeys.read(item, &u, "zone", "primary")
		switch {
		case has == nil:
			continue
		case has["key"] == nil && has["keyFile"] == nil:
			item.fault("keyFile is missing; tsig-keygen writes such a file")
		case has["key"] != nil && has["keyFile"] != nil:
			item.fault("has both key and keyFile; remove one")
		}
		if u.Zone != "" && zones[u.Zone] {
			item.fault("the zone %s is already listed", quote(u.Zone))
		}
		zones[u.Zone] = true
		d.updates = append(d.updates, u)
	}
}

var updateKeys = keys[update]{
	"zone": func(u *update, v *value) {
		if u.Zone = "*"; !v.isWord("*") {
			u.Zone = v.host()
		}
	},
	"primary": func(u *update, v *value) { u.Primary = v.primary() },
	"keyFile": func(u *update, v *value) { u.keyFile = v.file() },
	"key": func(u *update, v *value) {
		u.Key = v.tsigKey()
		v.remember()
	},
}

var tsigKeys = keys[dns.Key]{
	"name":      func(k *dns.Key, v *value) { k.Name = v.text("the name of a key") },
	"algorithm": func(k *dns.Key, v *value) { k.Algorithm = choice(v, "a TSIG algorithm", dns.Algorithms) },
	"secret":    func(k *dns.Key, v *value) { k.Secret = dns.Secret(v.text("a secret in base64")) },
}

// tsigKey reads a key. It quotes nothing unknown in a message, because that may be the
// secret in the wrong place.
func (v *value) tsigKey() dns.Key {
	k := dns.Key{Algorithm: dns.Algorithms[0]}
	if v.kind == scalar {
		v.fault("is a single value, want a mapping with name, algorithm and secret")
		return k
	}
	for i := 0; v.kind == mapping && i < len(v.items); i += 2 {
		if key := v.items[i]; tsigKeys[key.text] == nil {
			v.faultAt(key.line, "unknown key; valid here: name, algorithm, secret")
			return k
		}
	}
	tsigKeys.read(v, &k, "name", "secret")
	return k
}

// recordAddress reads an address for an A or AAAA record.
func (v *value) recordAddress() netip.Addr {
	return parsed(v, "an IP address for an A or AAAA record", func(text string) (netip.Addr, bool) {
		address, err := netip.ParseAddr(text)
		return address, err == nil && address.Zone() == "" && !address.Is4In6()
	})
}

// dnsServer reads the IP address of a DNS server, with port 53 if it has none.
func (v *value) dnsServer() string {
	return parsed(v, "an IP address, with or without a port", func(text string) (string, bool) {
		server, ok := ipAddress(text)
		if server.Port() == 0 {
			server = netip.AddrPortFrom(server.Addr(), 53)
		}
		return server.String(), ok
	})
}

// ipAddress parses an IP address, with or without a port.
func ipAddress(text string) (netip.AddrPort, bool) {
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(address, 0), true
	}
	server, err := netip.ParseAddrPort(text)
	return server, err == nil && server.Port() > 0
}

// primary reads a host name or an IP address, with or without a port.
func (v *value) primary() string {
	const wanted = "a host or an IP address, with or without a port"
	text := v.text(wanted)
	if text == "" {
		return ""
	}
	if _, ok := ipAddress(text); ok {
		return text
	}
	host, port, hasPort := strings.Cut(text, ":")
	if hasPort && !isPort(port) {
		v.fault("%s is not %s", quote(text), wanted)
	} else if v.hostText(host) != "" {
		return text
	}
	return ""
}
