package config

import (
	"strings"

	"signpost/internal/certfile"
	"signpost/internal/certs"
	"signpost/internal/certstore"
)

// TLS says how HTTPS is served.
type TLS struct {
	Listen       string // host:port or unix:path
	Certificates []certfile.Pair
	ACME         *certs.ACME // how certificates are ordered; nil for never
	// Store is the database in which several machines keep what they order. It is nil if
	// ACME.Storage is a directory.
	Store *certstore.Options
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
		v.remember()
		t.ACME = &certs.ACME{Storage: defaultStorage}
		if v.kind == nothing {
			v.fault("has no value; write acme: {} to order from Let's Encrypt with the defaults")
			return
		}
		a := acme{ACME: t.ACME}
		a.read(v)
		if a.store.Database != "" {
			t.ACME.Storage, t.Store = "", &a.store
		}
	},
}

// acme is tls.acme while it is being read.
type acme struct {
	*certs.ACME
	store certstore.Options
}

// read reads the keys, and checks those of a database.
func (a *acme) read(v *value) {
	has := acmeKeys.read(v, a)
	if a.store.Database == "" {
		for _, key := range []string{"passwordFile", "sealFile"} {
			if has[key] != nil {
				has[key].fault("is for a database; storage is a directory")
			}
		}
		return
	}
	for _, err := range certstore.Validate(a.store) {
		option, text := optionOf(err)
		at := has["storage"]
		if other := has[option]; other != nil {
			at = other
		}
		at.fault("%s", text)
	}
}

var pairKeys = keys[certfile.Pair]{
	"certificate": func(p *certfile.Pair, v *value) { p.Certificate = v.file() },
	"key":         func(p *certfile.Pair, v *value) { p.Key = v.file() },
}

var acmeKeys = keys[acme]{
	"email":     func(a *acme, v *value) { a.Email = v.mailAddress() },
	"directory": func(a *acme, v *value) { a.Directory = v.url(urlRule{https: true}) },
	// storage is not among the files to watch, because the service itself writes there.
	"storage": func(a *acme, v *value) {
		if v.kind == scalar && strings.Contains(v.node.text, "://") {
			a.store.Database = v.databaseURL()
			return
		}
		a.Storage = v.l.resolve(v.text("the path of a directory"))
		v.remember()
	},
	"passwordFile":  func(a *acme, v *value) { a.store.PasswordFile = v.passwordFile() },
	"sealFile":      func(a *acme, v *value) { a.store.SealFile = v.passwordFile() },
	"caRoot":        func(a *acme, v *value) { a.CARoot = v.file() },
	"ordersPerHour": func(a *acme, v *value) { a.OrdersPerHour = v.number(2, maxOrders) },
}

func readTLS(l *loader, v *value) {
	l.TLS = &TLS{Listen: defaultTLS}
	has := tlsKeys.read(v, l.TLS)
	if has != nil && has["certificates"] == nil && has["acme"] == nil {
		v.fault("needs certificates, acme or both; remove tls if a proxy in front terminates TLS")
	}
}
