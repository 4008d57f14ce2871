package setup

import "signpost/account"

// view is what the templates are given.
type view struct {
	Lang      string
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
	Notices  []notice
	Link     string // of this page, absolute; empty without a name of the service
	Code     code
	All      string // URL of this page with everything open
	Sections []section

	IPhone, Mac         string // URLs of profiles; empty where there is none
	IPhoneMail, MacMail string // of profiles without calendars and contacts
	Signed              bool
	Extras              bool   // calendars or contacts are accounts of their own
	Exchange            bool   // ActiveSync
	Form                *table // for Android's Exchange account
	Joined              *table
	Web                 bool // Exchange Web Services, which a Mac speaks
	HandOver            bool // Exchange clients find it elsewhere by themselves
	Token               bool // people sign in on a web page
	Mail                bool // IMAP or POP, and SMTP
	IMAP, POP           bool
	Gmail               []*table // for the Gmail app
	Outlook             []*table
	Tables              []*table // for all others
	Also                []*table // what is not mail

	Webmail string
	Help    []link
	Trouble trouble
}

type notice struct{ Text, URL string }

type link struct{ Text, URL string }

// trouble is what to look at when it does not work.
type trouble struct {
	account.Support
	Wait   int // minutes that sending is blocked
	Ports  string
	Checks []string
}
