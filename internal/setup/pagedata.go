package setup

import (
	"signpost/account"
	"signpost/mobileconfig"
)

// pageData is what the template "page" receives.
type pageData struct {
	Lang, Dir string
	Languages []languageLink // none if there is only one
	Brand     brand
	Base      string // what URLs of this service begin with: empty, or its origin in a fragment
	Style     string // URL
	Script    string // URL
	Private   bool   // the page holds somebody's address or name

	Form    form
	Problem string  // key of the text that says what is wrong with the input
	Unknown string  // the domain, if it is not hosted here
	Failed  bool    // the settings could not be looked up
	Answer  *answer // nil without a valid address that is hosted here
	Contact account.Contact
}

// languageLink leads to the same page in another language.
type languageLink struct {
	Tag, Name string
	Current   bool
	page      links
}

// URL returns the URL of the page in the language, for templates that have links in place
// of a form, which holds the address once.
func (l languageLink) URL() string { return "/" + l.page.query() }

type brand struct {
	Name string
	Logo string // URL
}

// form is the content of the fields of the forms. Device is set if the request names one.
type form struct{ Address, Name, Lang, Device string }

// answer holds the settings of one address.
type answer struct {
	Address  string // as people read it
	Provider string
	Notices  []link
	Link     string // absolute URL of this page; empty without a name of the service
	Code     code   // of the link; of size 0 if there is none
	Send     string // mailto: URL of a message with the link
	All      string // URL of this page with all sections open
	Sections []section
	Visitor  string // the device: one of the values of the parameter device, or empty
	// WebmailFirst is set if there is webmail and none of the programs for the
	// visitor's device works, or the device is not known.
	WebmailFirst bool
	// IPad is set for a visitor with a Mac who may have an iPad. What holds for an iPad
	// is then shown first to those with a touch screen, which only style can tell.
	IPad bool
	// IPadWorks reports whether the steps for an iPad end with mail.
	IPadWorks bool

	IPhone, Mac          *profile // nil if there is no profile
	Signed               bool
	Unverified           bool   // signed, but devices show that they do not know the authority
	Exchange             bool   // ActiveSync
	App                  code   // that Thunderbird for Android scans; of size 0 if there is none
	AppFile              string // URL of the settings file for Thunderbird for Android and K-9 Mail, or empty
	Form                 *table // for Android's Exchange account
	Joined               *table // domain and user name in one field, as older Androids ask for it
	Web                  bool   // Exchange Web Services that Thunderbird finds
	Evolution            bool   // Exchange Web Services with a password
	AutodiscoverRedirect bool   // Exchange clients find another service by themselves
	Token                bool   // people sign in on a web page
	AppPassword          string // URL where people make the password for programs, or empty
	OrToken              bool   // with an AppPassword: some programs open a page to sign in instead
	NoPassword           bool   // people sign in neither with a password nor on a web page
	Mail                 bool   // a mail program can receive with IMAP or POP and send with SMTP
	PasswordForm         bool   // Mail, and a program can be given the values and a password
	Ticket               bool   // Mail, but only with Kerberos
	IMAP, POP            bool   // with a password, if there is a PasswordForm
	Unencrypted          bool   // one of the servers
	PasswordUnencrypted  bool   // one of the unencrypted servers takes a password
	AliasLogin           bool   // the values of an alias are those of its mailbox
	Gmail                tables // for the Gmail app
	Apple                tables // for iPhone and Mac without a profile
	Outlook              tables
	OtherLogin           bool   // a login in Outlook is not the address, and the new one takes no other
	Tables               tables // for all others
	Also                 tables // servers for other things than mail

	Webmail string
	Help    []link
	Trouble trouble
}

// profile is an Apple profile to install.
type profile struct {
	mobileconfig.Contents
	Address  string
	URL      string
	MailOnly string // URL without calendars and contacts; empty if it would be the same

	AppPassword bool // the device asks for a password that people make for programs
}

// link is a text of the operator and the URL of a page that says more. Language
// is empty if the text is in the language of the page.
type link struct {
	account.Title
	URL string
}

// trouble is what to check when something does not work.
type trouble struct {
	account.Support
	Wait   string // how long sending is blocked
	Ports  string // for sending, other than 25
	Checks []account.Title
}
