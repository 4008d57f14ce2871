// Package row holds what a database, an LDAP directory or a file says of a mailbox and of
// a domain, as it stands there. Package sources judges it.
package row

// Account is a row about an address. A row that is no alias is a mailbox, and counts before
// those that are. Fields that are empty say nothing.
type Account struct {
	// Address is the row's own address. A row whose address is not the one asked for is
	// dropped: some collations ignore accents and blanks at the end, and some connection
	// pools mix up answers.
	Address string
	// Aliases are the addresses that receive this address's mail, separated by commas,
	// semicolons or blanks. A row with some is an alias.
	Aliases string
	// HasAlias is set if the store has a value for Aliases, though it may be empty.
	HasAlias    bool
	Provider    string // a word of the store's, or the ID of a provider
	Username    string
	DisplayName string
	MailHost    string
	Inactive    bool
}

// Domain is a row about a domain. Fields that are empty say nothing.
type Domain struct {
	Domain   string // the row's own name
	Alias    string // the domain that it is another name of
	Provider string // a word of the store's, or the ID of a provider
	MailHost string
	Inactive bool // the domain is not hosted, though it is listed
}

// Columns says which fields of its rows a store can fill. What it never fills is never
// asked for.
type Columns struct {
	Alias, Provider, Username, MailHost bool // of accounts
	// Domains is set if the store lists domains, OneDomain if it can be asked for one.
	Domains, OneDomain bool
}

// Finding is what a check of a store found.
type Finding struct {
	Text    string // says what is wrong or missing; never a password, never an address
	Cure    string // a statement or sentence that mends it, or empty
	Warning bool   // the store works all the same
	// Note is set with Warning if nothing is wrong: how many domains there are.
	Note bool
}
