package config

// TLS is how HTTPS is served here.
type TLS struct {
	// Listen is host:port or unix:path.
	Listen string
	// Certificates are the operator's own.
	Certificates []KeyFiles
	// ACME orders certificates when they are first asked for; nil never does.
	ACME *ACME
}

// KeyFiles names the files of a certificate, with its chain, and of its key.
type KeyFiles struct {
	Certificate, Key string
	Line             int // of the configuration
}

// ACME says whom to order from, and what for.
type ACME struct {
	Email         string
	Directory     string // URL; empty for Let's Encrypt
	Storage       string // folder
	CARoot        string // file; empty for the system's roots
	OrdersPerHour int    // 0 for the default
}

const (
	defaultTLS     = ":443"
	defaultStorage = "/var/lib/signpost/certificates"
	// maxOrders is beyond what any public ACME server grants.
	maxOrders = 10_000
)

var tlsKeys = keys[TLS]{
	"listen": func(t *TLS, v *value) { t.Listen, _ = v.listen() },
	"certificates": func(t *TLS, v *value) {
		for item := range v.list("{certificate: file, key: file}") {
			files := KeyFiles{Line: item.line}
			if has, ok := keyFilesKeys.read(item, &files); ok {
				item.require(has, "certificate", "key")
				t.Certificates = append(t.Certificates, files)
			}
		}
	},
	"acme": func(t *TLS, v *value) {
		t.ACME = &ACME{Storage: defaultStorage}
		if v.kind == nothing {
			v.fault("has no value; write acme: {} for Let's Encrypt and no further wishes")
			return
		}
		acmeKeys.read(v, t.ACME)
	},
}

var keyFilesKeys = keys[KeyFiles]{
	"certificate": func(f *KeyFiles, v *value) { f.Certificate, _ = v.file() },
	"key":         func(f *KeyFiles, v *value) { f.Key, _ = v.file() },
}

var acmeKeys = keys[ACME]{
	"email":     func(a *ACME, v *value) { a.Email, _ = v.mailAddress() },
	"directory": func(a *ACME, v *value) { a.Directory, _ = v.url(urlRule{https: true}) },
	"storage": func(a *ACME, v *value) {
		if path, ok := v.text("the path of a folder"); ok {
			a.Storage = v.l.resolve(path) // what comes into it is no change of ours
		}
	},
	"caRoot":        func(a *ACME, v *value) { a.CARoot, _ = v.file() },
	"ordersPerHour": func(a *ACME, v *value) { a.OrdersPerHour, _ = v.number(2, maxOrders) },
}

func readTLS(l *loader, v *value) {
	l.TLS = &TLS{Listen: defaultTLS}
	has, ok := tlsKeys.read(v, l.TLS)
	if ok && has["certificates"] == nil && has["acme"] == nil {
		v.fault("wants certificates, acme or both; leave it out where a proxy in front ends TLS")
	}
}

// suspectTLS warns where HTTPS is meant for everybody and plain HTTP, of which
// half of the clients need an answer, is for this machine alone.
func (l *loader) suspectTLS(has given) {
	if at := has["tls"]; at != nil && has["listen"] == nil {
		at.warn(`plain HTTP stays at %s; clients that find no certificate ask there, write listen: ":80"`, defaultListen)
	}
}
