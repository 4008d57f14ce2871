package setup

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"signpost/account"
	"signpost/mobileconfig"
)

// System is an example system, with an address of each of its products.
type System struct {
	Name      string
	Resolve   account.Resolver
	Options   Options
	Addresses []string
}

// LoadSystems loads every system of testdata/config. Package setup_test sets it:
// internal/systems imports internal/config, which imports this package.
var LoadSystems func(t testing.TB) []System

// goldenAddresses names the addresses of systems whose golden files are not named
// after the systems' sample addresses.
var goldenAddresses = map[string][]string{
	"mamut":      {"mail@domain.se", "info@domain.se"},
	"own-domain": {"kalle@foretaget.example"},
	"websupport": {"anna@butiken.example"},
	"office365":  {"anna@kh-konsult.example"},
	"onecom":     {"karin@malaren.example"},
}

// systems returns all example systems.
func systems(t testing.TB) []System {
	t.Helper()
	list := LoadSystems(t)
	for i, s := range list {
		if addresses, ok := goldenAddresses[s.Name]; ok {
			list[i].Addresses = addresses
		}
	}
	return list
}

// load returns the resolver and the page's options of an example system.
func load(t testing.TB, name string) (account.Resolver, Options) {
	t.Helper()
	list := systems(t)
	i := slices.IndexFunc(list, func(s System) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no example system %q", name)
	}
	return list[i].Resolve, list[i].Options
}

// service serves the page and the profiles that it links to, as the server does.
func service(resolve account.Resolver, o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", Handler(resolve, o))
	mux.Handle("/profile.mobileconfig", mobileconfig.Handler(resolve, mobileconfig.HandlerOptions{Service: o.Name}))
	return mux
}

// get requests a path from a handler. Header alternates names and values.
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
