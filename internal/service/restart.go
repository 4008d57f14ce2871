package service

import (
	"cmp"
	"slices"

	"signpost/internal/certs"
	"signpost/internal/certstore"
	"signpost/internal/config"
)

// restartKeys lists the keys whose change takes effect at a restart only, because
// the listeners and connections keep their values.
func restartKeys(old, now *config.Config) []string {
	oldTLS, nowTLS := cmp.Or(old.TLS, new(config.TLS)), cmp.Or(now.TLS, new(config.TLS))
	bothTLS := old.TLS != nil && now.TLS != nil // otherwise tls.listen has changed
	none := new(certs.ACME)                     // differs from any other, which has a directory
	var keys []string
	for key, changed := range map[string]bool{
		"listen":     old.Listen != now.Listen,
		"admin":      old.Admin != now.Admin,
		"tls.listen": oldTLS.Listen != nowTLS.Listen,
		"tls.acme.storage": bothTLS && *cmp.Or(oldTLS.Store, new(certstore.Options)) !=
			*cmp.Or(nowTLS.Store, new(certstore.Options)),
		"tls.acme":       bothTLS && *cmp.Or(oldTLS.ACME, none) != *cmp.Or(nowTLS.ACME, none),
		"name (of tls)":  bothTLS && old.Name != now.Name,
		"proxyProtocol":  old.Proxies.Protocol != now.Proxies.Protocol,
		"limits (times)": old.Limits.Timeouts != now.Limits.Timeouts,
		"limits.connections": old.Limits.Connections != now.Limits.Connections ||
			old.Limits.PerAddress != now.Limits.PerAddress,
	} {
		if changed {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
