// Package autoconfig writes and reads the two formats of settings for mail clients
// other than Microsoft's and Apple's: Mozilla's config-v1.1.xml, which
// Thunderbird, Evolution, KMail, Delta Chat, FairEmail, Nextcloud Mail and many
// more read (draft-ietf-mailmaint-autoconfig), and PACC, the JSON that is meant to
// succeed it (draft-ietf-mailmaint-pacc).
//
// # Which mailboxes have a config-v1.1 document
//
// There is a document for a domain or mailbox that some reader of the format can
// use: one with IMAP, POP3, Exchange Web Services (Thunderbird, Evolution) or JMAP.
// Anything else is answered 404, even a mailbox with ActiveSync alone: phones that
// speak ActiveSync use Autodiscover instead, Thunderbird refuses a document without
// an outgoing server, and any 2xx ends the search of Delta Chat, which continues
// with Autodiscover after a 404.
//
// # What every reader accepts
//
// The many readers are strict in different places. A document has only what all of
// them accept:
//
//   - activesync and jmap come after the other incoming servers: Thunderbird skips
//     them, while FairEmail and Geary read no server but the first. Otherwise the
//     order is the provider's: Thunderbird takes ews if it comes before imap;
//   - one section per type: Evolution and aerc take the last, others the first;
//   - leaf elements have text without white space around it and no attributes,
//     and are never empty: Thunderbird reads an empty element as true and one with
//     an attribute as "[object Object]". For that reason the domain that led a
//     client here is a plain <domain> and not <domain purpose="mx">. The one
//     exception is an authentication method, where the draft asks for an attribute
//     and a spelling without it goes before;
//   - only & < > are written as references: Delta Chat keeps only the text after
//     a reference;
//   - socketType plain never stands beside something better: Thunderbird for
//     Android rejects the whole file for one such section;
//   - the last user name is that of the mail servers: FairEmail takes the last
//     <username> in the document.
//
// # User names
//
// %EMAILADDRESS% and %EMAILLOCALPART% are left to the client, because every client
// completes them and some (Mailspring) ignore anything else. A name of several
// parts is completed here if the address is known, because FairEmail, Mailspring
// and aerc do not complete such names. An address in an international domain is
// completed here, too: a client would spell the domain as the person typed it, perhaps
// in Unicode, while Outlook's and Apple's documents have A-labels.
//
// The format has no field for an NT domain: it stands before the name with a
// backslash (hosting01\fred), as Windows writes it. A literal name that looks like a
// number reaches Thunderbird changed (00123 becomes 123); no spelling avoids that.
package autoconfig
