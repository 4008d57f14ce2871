// Package autodiscover speaks Microsoft's three dialects of the question "where
// is this mailbox?":
//
//   - plain XML (POX), posted to /autodiscover/autodiscover.xml. The request's
//     AcceptableResponseSchema chooses between Outlook's settings for IMAP, POP3
//     and SMTP ([MS-OXDSCLI], schema outlook/responseschema/2006a) and the
//     ActiveSync URL of phones ([MS-ASCMD] Autodiscover, schema
//     mobilesync/responseschema/2006);
//   - JSON, fetched from /autodiscover/autodiscover.json (Outlook's mobile cloud,
//     Outlook 2016 and later, iOS, Nine), which has no public specification;
//   - SOAP, /autodiscover/autodiscover.svc ([MS-OXWSADISC]), of which only the
//     hand-over to somebody's real Exchange is answered.
//
// A client is known by the schema that it accepts and never by its User-Agent.
// Nobody is ever asked for a password: the settings of a domain are no secret,
// and a challenge would only teach clients to send passwords to whoever asks. An
// Authorization header is not looked at.
//
// No Exchange settings (EXCH, EXPR, MAPI) are made up: Outlook refuses to open
// mailboxes over wrong ones. A provider with a real Exchange elsewhere is handed
// over to it.
package autodiscover
