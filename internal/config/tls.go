package config

import (
	"signpost/internal/certfile"
	"signpost/internal/certs"
)

// TLS says how HTTPS is served.
type TLS struct {
	Listen       string // host:port or unix:path
	Certificates []certfile.Pair
	ACME         *certs.ACME // how certificates are ordered; nil for never
}

const (
	defaultTLS     = ":443"
	defaultStorage = "/var/lib/signpost/certificates"

	// maxOrders is more than any public ACME server grants.
	maxOrders = 10_000
)

var tlsKeys = keys[TLS]{
	"listen": func(t *TLS, v *value) { t.Listen = v.listen() },
	"certificates": func(t *TLS, v *value) {
		t.Certificates = mappings(v, "{certificate: file, key: file}", pairKeys, "certificate", "key")
	},
	"acme": func(t *TLS, v *value) {
		t.ACME = &certs.ACME{Storage: defaultStorage}
		if v.kind == nothing {
			v.fault("has no value; write acme: {} to order from Let's Encrypt with the defaults")
			return
		}
		acmeKeys.read(v, t.ACME)
	},
}

var pairKeys = keys[certfile.Pair]{
	"certificate": func(p *certfile.Pair, v *value) { p.Certificate = v.file() },
	"key":         func(p *certfile.Pair, v *value) { p.Key = v.file() },
}

var acmeKeys = keys[certs.ACME]{
	"email":     func(a *certs.ACME, v *value) { a.Email = v.mailAddress() },
	"directory": func(a *certs.ACME, v *value) { a.Directory = v.url(urlRule{https: true}) },
	// storage is not among the files to watch, because the service itself writes there.
	"storage": func(a *certs.ACME, v *value) {
		a.Storage = v.l.resolve(v.text("the path of a directory"))
		v.remember()
	},
	"caRoot":        func(a *certs.ACME, v *value) { a.CARoot = v.file() },
	"ordersPerHour": func(a *certs.ACME, v *value) { a.OrdersPerHour = v.number(2, maxOrders) },
}

func readTLS(l *loader, v *value) {
	l.TLS = &TLS{Listen: defaultTLS}
	has := tlsKeys.read(v, l.TLS)
	if has != nil && has["certificates"] == nil && has["acme"] == nil {
		v.fault("needs certificates, acme or both; remove tls if a proxy in front terminates TLS")
	}
}
