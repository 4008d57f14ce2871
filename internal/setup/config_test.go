package setup_test

import (
	"context"

	"signpost/account"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/setup"
)

func init() {
	setup.LoadConfig = func(file string) (account.Resolver, setup.Options, error) {
		cfg, err := config.Load(file)
		if err != nil {
			return nil, setup.Options{}, err
		}
		noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
		return directory.New(cfg.Providers, cfg.Accounts, noMX).Resolve, setup.Options{
			Name:     cfg.Name,
			Branding: setup.Branding{Name: cfg.Branding.Name, Accent: cfg.Branding.Accent, Contact: cfg.Branding.Contact},
		}, nil
	}
}
