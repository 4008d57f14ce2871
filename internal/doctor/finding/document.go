package finding

// documentFaults are the faults of documents. Sources: what was seen of clients is in package
// client, the rest in mail-autoconfig's draft (draft-ietf-mailmaint-autoconfig) and [MS-OXDSCLI].
var documentFaults = []Fault{
	{
		ID: "C1", Severity: Error, Title: "Autodiscover says the wrong encryption for a port",
		Cause: "To Outlook, Encryption TLS means STARTTLS and overrides SSL; on 993 it waits for a greeting in clear " +
			"text. Without Encryption, SSL on means TLS at once, on 587 too.",
		Cure: "SSL on and Encryption SSL for 993, 995 and 465; SSL on and Encryption TLS for 587, 143 and 110.",
		Who:  "Outlook", Find: encryptions,
	},
	{
		ID: "C2", Severity: Error, Title: "Port and security in the autoconfig document do not fit",
		Cause: "STARTTLS is written for a port where TLS begins at once, or the reverse.",
		Cure:  "SSL for 993, 995 and 465; STARTTLS for 143, 110 and 587.",
		Who:   "all that read the document", Find: portsAndSecurity,
	},
	{
		ID: "C3", Severity: Error, Title: "Unknown socketType",
		Cause: "The format knows SSL, STARTTLS and plain, spelt just so; TLS is none of them.",
		Cure:  "SSL, or STARTTLS.",
		Who:   "Thunderbird drops the server; others take it for STARTTLS or for none", Find: securities,
	},
	{
		ID: "C4", Severity: Error, Title: "White space, CDATA or attributes in a value",
		Cause: "Some readers compare texts as they stand; Thunderbird makes an object of an element with an attribute.",
		Cure:  "The bare value between the tags.",
		Who:   "Thunderbird, Thunderbird for Android; CDATA: Delta Chat", Find: dirtyValues,
	},
	{
		ID: "C5", Severity: Error, Title: "Empty or missing user name",
		Cause: "Thunderbird reads an empty element as true and a missing one as undefined.",
		Cure:  "%EMAILADDRESS%, %EMAILLOCALPART% or the login itself.",
		Who:   "Thunderbird; Delta Chat drops the server", Find: emptyUsernames,
	},
	{
		ID: "C6", Severity: Error, Title: "User name in a form that no server takes",
		Cause: "A placeholder that no client knows, or an address copied from a URL without decoding it.",
		Cure:  "%EMAILADDRESS%, %EMAILLOCALPART% or the login itself.",
		Who:   "all that read the document", Find: usernames,
	},
	{
		ID: "C7", Severity: Warning, Title: "Several providers in one document",
		Cause: "The format has one emailProvider. Thunderbird takes the first, Thunderbird for Android the last.",
		Cure:  "One emailProvider, and the domain that was asked about in it.",
		Who:   "those that take the wrong one", Find: severalProviders,
	},
	{
		ID: "C8", Severity: Error, Title: "Domain or id that is no host name",
		Cause: "An underscore, a letter that is not ASCII, or nothing. Thunderbird rejects the whole document.",
		Cure:  "The domain in its A-label form.",
		Who:   "Thunderbird, Thunderbird for Android", Find: identities,
	},
	{
		ID: "C9", Severity: Error, Title: "Servers missing or in the wrong order",
		Cause: "Thunderbird needs an outgoing server; some readers look at the first incoming server only.",
		Cure:  "IMAP first, then POP3, and one outgoing server.",
		Who:   "Thunderbird; FairEmail, Geary", Find: serverOrder,
	},
	{
		ID: "C10", Severity: Error, Title: "OAuth2 is the only sign-in",
		Cause: "Clients use OAuth2 only with providers for which they are registered, and drop the server otherwise.",
		Cure:  "<authentication>password-cleartext</authentication> after OAuth2.",
		Who:   "Thunderbird, Thunderbird for Android", Find: onlyOAuth2,
	},
	{
		ID: "C11", Severity: Error, Title: "Broken XML",
		Cause: "A tag that is not closed, a file that is cut off, an entity of HTML, an encoding other than UTF-8.",
		Cure:  "Mend the line; xmllint names it.",
		Who:   "all; Thunderbird does not look further", Find: brokenXML,
	},
	{
		ID: "C12", Severity: Error, Title: "ActiveSync without encryption or at a stranger's",
		Cause: "The Url in the answer to phones begins with http:// or names somebody else's host.",
		Cure:  "An https URL of the own server.",
		Who:   "phones", Find: activeSyncURLs,
	},
	{
		ID: "C13", Severity: Warning, Title: "LoginName missing in Autodiscover's answer",
		Cause: "Without it, Outlook signs in with the part before the @.",
		Cure:  "LoginName with the whole login.",
		Who:   "Outlook", Find: loginNames,
	},
	{
		ID: "C14", Severity: Error, Title: "Internal names in a document",
		Cause: "The servers are named as they are known inside.",
		Cure:  "Names that everybody can resolve.",
		Who:   "everybody outside", Find: internalNames,
	},
	{
		ID: "C15", Severity: Error, Title: "Stale entry in Mozilla's database",
		Cause: "The domain has moved, its entry has not.",
		Cure:  "A change at https://github.com/thunderbird/autoconfig.",
		Who:   "KMail, which asks there first; others if the provider has no document", Find: staleEntry,
	},
	{
		ID: "C16", Severity: Warning, Title: "Sources disagree",
		Cause: "Autoconfig, Autodiscover, PACC and SRV records are kept in different places.",
		Cure:  "One source for all.",
		Who:   "those that read the source that is wrong", Find: disagreement,
	},
	{
		ID: "C17", Severity: Warning, Title: "Wrong answer to phones",
		Cause: "The question of phones (mobilesync) is answered like Outlook's, or refused as malformed.",
		Cure:  "Error 601 in Autodiscover's own form, or a mobilesync answer.",
		Who:   "phones", Find: phoneAnswers,
	},
	{
		ID: "C18", Severity: Error, Title: "Password in a public file",
		Cause: "Old drafts of autoconfig had an element for it.",
		Cure:  "Remove it, and change the password: it is known.",
		Who:   "the owner of the password", Find: passwords,
	},
}
