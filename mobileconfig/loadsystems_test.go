package mobileconfig_test

import (
	"testing"

	"signpost/account"
	"signpost/internal/systems"
	"signpost/mobileconfig"
)

func init() {
	mobileconfig.LoadProviders = func(t testing.TB) map[string]*account.Provider {
		t.Helper()
		providers := map[string]*account.Provider{}
		for _, s := range systems.All(t) {
			for _, p := range s.Config.Providers {
				providers[s.Name+"/"+p.ID] = p.Provider
			}
		}
		return providers
	}
}
