package client

import "context"

// Gmail, Samsung Email and Nine on Android. Their questions for Exchange are known of AOSP's
// Exchange client and of Nine (WDES#4); of Samsung nothing is public. For IMAP they ask for the
// servers.
func init() {
	register(Client{ID: "gmail", Name: "Gmail", Version: "Android", Certainty: ToldOnly, Forecast: gmail})
	register(Client{ID: "samsung", Name: "Samsung Email", Version: "Android", Certainty: ToldOnly, Forecast: samsung})
	register(Client{ID: "nine", Name: "Nine", Version: "4.9", Certainty: ToldOnly, Forecast: nine})
}

const androidForm = "For IMAP it shows a form: server, port, security, user name. Without an answer, the form for " +
	"Exchange holds the mail domain as the server."

func gmail(ctx context.Context, s *Search) Forecast { return toldActiveSync(ctx, s, androidForm) }

func samsung(ctx context.Context, s *Search) Forecast { return toldActiveSync(ctx, s, androidForm) }

// nine asks Autodiscover version 2 first.
func nine(ctx context.Context, s *Search) Forecast {
	s.Expect(ctx, jsonQuestion(s))
	return toldByJSON(ctx, s, toldActiveSync(ctx, s, androidForm))
}
