package setup_test

import (
	"testing"

	"signpost/internal/setup"
	"signpost/internal/systems"
)

func init() {
	setup.LoadSystems = func(t testing.TB) []setup.System {
		t.Helper()
		var list []setup.System
		for _, s := range systems.All(t) {
			one := setup.System{
				Name:    s.Name,
				Resolve: s.Directory.Resolve,
				Options: setup.Options{Name: s.Config.Name, Branding: s.Config.Branding},
			}
			for _, a := range s.Samples() {
				one.Addresses = append(one.Addresses, a.String())
			}
			list = append(list, one)
		}
		return list
	}
}
