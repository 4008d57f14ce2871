package setup

import (
	"signpost/account"
	"signpost/mobileconfig"
)

// view is what the templates are given.
type view struct {
	Lang, Dir string
	Languages []languageLink // more than one, or none
	Brand     brand
	Style     string // URLs
	Script    string
	Private   bool // there is somebody's address or name on the page

	Form    form
	Problem string // key of a text: what is wrong with what was typed
	Unknown string // the domain that is not hosted
	Failed  bool   // we could not look
	Answer  *answer
	Contact account.Contact
}

// languageLink leads to the same page in another language.
type languageLink struct {
	Tag, Name, URL string
	Current        bool
}

type brand struct {
	Name string
	Logo string // URL
}

// form is what stands in the form.
type form struct{ Address, Name, Lang string }

// answer is the settings of one address.
type answer struct {
	Address  string // as people read it
	Provider string
	Notices  []link
	Link     string // of this page, absolute; empty without a name of the service
	Code     code
	All      string // URL of this page with everything open
	Sections []section

	IPhone, Mac *profile // nil where there is none
	Signed      bool
	Exchange    bool   // ActiveSync
	Form        *table // for Android's Exchange account
	Joined      *table
	Web         bool // Exchange Web Services, which a Mac speaks
	HandOver    bool // Exchange clients find it elsewhere by themselves
	Token       bool // people sign in on a web page
	Mail        bool // IMAP or POP, and SMTP
	Typed       bool // the same, and a program can be given the values and a password
	IMAP, POP   bool
	Gmail       []*table // for the Gmail app
	Apple       []*table // for iPhone and Mac without a profile
	Outlook     []*table
	Tables      []*table // for all others
	Also        []*table // what is not mail

	Webmail string
	Help    []link
	Trouble trouble
}

// profile is an Apple profile to install.
type profile struct {
	mobileconfig.Contents
	Address  string
	URL      string
	MailOnly string // of that without calendars and contacts; empty where it has none
}

// link is an operator's text with a page that says more. Its Language is empty
// where it is the page's.
type link struct {
	account.Title
	URL string
}

// trouble is what to look at when it does not work.
type trouble struct {
	account.Support
	Wait   string // how long sending is blocked
	Ports  string
	Checks []account.Title
}
