// Package autoconfig speaks the two dialects in which mail clients that are
// not Microsoft's or Apple's ask for settings: Mozilla's config-v1.1.xml, which
// Thunderbird, Evolution, KMail, Delta Chat, FairEmail, Nextcloud Mail and many
// more read (draft-ietf-mailmaint-autoconfig), and PACC, the JSON that is meant
// to follow it (draft-ietf-mailmaint-pacc).
//
// # Who gets a config-v1.1 document
//
// A domain or mailbox that somebody who reads the format can use: one with
// IMAP, POP3, Exchange Web Services (Thunderbird, Evolution) or JMAP. Anything
// else is answered 404, a mailbox with ActiveSync alone too: phones that speak
// ActiveSync ask Autodiscover and not here, Thunderbird refuses a document
// without an outgoing server, and any 2xx ends the search of Delta Chat, which
// with a 404 goes on to ask Autodiscover.
//
// # What the document must not do
//
// The readers are many and none of them is strict in the same place. What is
// written therefore keeps to what all of them take:
//
//   - imap is the first incoming server: FairEmail and Geary look no further;
//   - one section per type: Evolution and aerc take the last, others the first;
//   - leaf elements have text without white space around it and no attributes,
//     and are never empty: Thunderbird makes true of an empty element and
//     "[object Object]" of one with an attribute. For that reason the domain
//     that a client came by is a plain <domain> and not <domain purpose="mx">;
//   - only & < > are written as references: Delta Chat keeps the tail of a text
//     that is split by one;
//   - socketType plain never stands beside something better: Thunderbird for
//     Android rejects the whole file for one such section;
//   - the last user name is that of the mail servers: FairEmail takes the last
//     <username> wherever it stands.
//
// # User names
//
// %EMAILADDRESS% and %EMAILLOCALPART% stay as they are, because every client
// fills them in and some (Mailspring) ignore anything else. A name put together
// of several parts is completed when the address is known, because FairEmail,
// Mailspring and aerc do not complete such names. The format has no field for
// an NT domain: it stands before the name with a backslash (hosting01\fred), as
// Windows writes it. A literal name that looks like a
// number reaches Thunderbird changed (00123 becomes 123); no spelling avoids it.
package autoconfig
