package client

import "context"

// The new Outlook for Windows and Outlook on phones leave the search to Microsoft's servers, which ask
// Autodiscover from there and sign in to IMAP themselves (Mailu#3961; forwardemail.net#572;
// office365docs, use-hybrid-modern-auth). If Microsoft knows the domain, nobody else is asked.
func init() {
	register(Client{ID: "outlook-new", Name: "new Outlook", Version: "for Windows", Certainty: ToldOnly,
		Forecast: outlookNew})
	register(Client{ID: "outlook-mobile", Name: "Outlook", Version: "mobile", Certainty: ToldOnly,
		Forecast: outlookMobile})
}

const fromTheCloud = "Microsoft's servers, not the person's machine, must reach the mail servers; " +
	"the account is set up with the address as its user name."

func outlookNew(ctx context.Context, s *Search) Forecast { return toldActiveSync(ctx, s, fromTheCloud) }

func outlookMobile(ctx context.Context, s *Search) Forecast {
	s.Expect(ctx, jsonQuestion(s))
	return toldByJSON(ctx, s, toldActiveSync(ctx, s, fromTheCloud))
}
