package account

import "time"

// Support holds links and facts for a person whose mail does not work. All of it is
// optional, and none of it is about one mailbox.
type Support struct {
	Status        string // URL of the page about incidents
	PasswordReset string // URL
	// AppPassword is the URL where a person makes a password for mail programs, where these
	// do not take the password of the website.
	AppPassword  string
	ControlPanel string // URL where a person sees the state of an account
	Contact      Contact
	Limits       SendingLimits
	// Checks are further things to check, in the provider's own words, each in one
	// or several languages.
	Checks [][]Title
}

// Contact is how a customer reaches the support staff.
type Contact struct {
	URL   string
	Email string
	Phone string // as people write it
}

// IsZero reports whether there is no contact.
func (c Contact) IsZero() bool { return c == Contact{} }

// SendingLimits are the limits of sending mail.
type SendingLimits struct {
	PerAddress int           // messages an hour; 0: not given
	PerDomain  int           // messages an hour; 0: not given
	Wait       time.Duration // how long sending is blocked after that
}

// Notice is a message for all of a provider's customers that is of interest for
// some time, such as a change of user names.
type Notice struct {
	From  time.Time // zero: at once
	Until time.Time // when it is no longer shown; zero: never
	Texts []Title   // one for each language
	URL   string    // of a page with more, or empty
}

// Active reports whether the notice is shown at the time.
func (n Notice) Active(at time.Time) bool {
	return !at.Before(n.From) && (n.Until.IsZero() || at.Before(n.Until))
}
