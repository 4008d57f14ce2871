package account

import "time"

// Support is what a provider tells a person whose mail does not work. All of it
// is optional, and none of it is about one mailbox.
type Support struct {
	Status        string // URL of the page that tells of incidents
	PasswordReset string // URL
	ControlPanel  string // URL where a person sees what became of an account
	Contact       Contact
	Limits        SendingLimits
	// Checks are further things to look at, in the provider's own words, each
	// in one or several languages.
	Checks [][]Title
}

// Contact is how a person reaches a person.
type Contact struct {
	URL   string
	Email string
	Phone string // as it is read out
}

// IsZero reports whether nobody can be reached.
func (c Contact) IsZero() bool { return c == Contact{} }

// SendingLimits are how many messages may be sent in an hour, 0 where nothing
// is said, and how long sending is blocked after that.
type SendingLimits struct {
	PerAddress int
	PerDomain  int
	Wait       time.Duration
}

// Notice is something that all of a provider's customers should know for a
// while, such as a change of user names.
type Notice struct {
	From  time.Time // zero: at once
	Until time.Time // the first moment when it no longer matters; zero: for good
	Texts []Title   // one for each language
	URL   string    // of a page that says more, or empty
}

// Active reports whether the notice should be shown at the time.
func (n Notice) Active(at time.Time) bool {
	return !at.Before(n.From) && (n.Until.IsZero() || at.Before(n.Until))
}
