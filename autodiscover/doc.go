// Package autodiscover answers the three protocols in which Microsoft's clients ask
// for the servers of a mailbox:
//
//   - plain old XML (POX), posted to /autodiscover/autodiscover.xml. The request's
//     AcceptableResponseSchema selects Outlook's settings for IMAP, POP3
//     and SMTP ([MS-OXDSCLI], schema outlook/responseschema/2006a) or the
//     ActiveSync URL for phones ([MS-ASCMD] Autodiscover, schema
//     mobilesync/responseschema/2006);
//   - JSON, fetched from /autodiscover/autodiscover.json (Outlook's mobile cloud,
//     Outlook 2016 and later, iOS, Nine), which has no public specification;
//   - SOAP, /autodiscover/autodiscover.svc ([MS-OXWSADISC]), where the only answer
//     is a redirect to a real Exchange server.
//
// A client is recognized by the schema that it accepts and never by its
// User-Agent. No answer asks for a password: the settings of a domain are no
// secret, and a challenge would only teach clients to send passwords to any server
// that asks. An Authorization header is ignored.
//
// There are no Exchange settings (EXCH, EXPR, MAPI) in the answers: Outlook refuses
// to open mailboxes over wrong ones. The clients of a provider with a real Exchange
// elsewhere are redirected to it.
package autodiscover
