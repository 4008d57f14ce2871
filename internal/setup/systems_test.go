package setup

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"signpost/account"
	"signpost/mobileconfig"
)

// system is an example configuration and one address of each of its products.
type system struct {
	name      string
	addresses []string
}

var systems = []system{
	{"mamut", []string{"mail@domain.se", "info@domain.se"}},
	{"own-domain", []string{"kalle@foretaget.example"}},
	{"websupport", []string{"anna@butiken.example"}},
	{"office365", []string{"anna@kh-konsult.example"}},
	{"onecom", []string{"karin@malaren.example"}},
}

// load returns the resolver and the options of an example configuration. No MX
// record leads anywhere.
func load(t testing.TB, name string) (account.Resolver, Options) {
	t.Helper()
	resolve, options, err := LoadConfig("../../testdata/config/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return resolve, options
}

// LoadConfig loads a configuration. It is set by package setup_test, as config
// imports this package.
var LoadConfig func(file string) (account.Resolver, Options, error)

// service is the page and the profiles that it leads to, as the server has them.
func service(resolve account.Resolver, o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", Handler(resolve, o))
	mux.Handle("/profile.mobileconfig", mobileconfig.Handler(resolve, mobileconfig.HandlerOptions{Service: o.Name}))
	return mux
}

// get asks a handler for a path.
func get(t testing.TB, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
