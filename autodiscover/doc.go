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
//   - SOAP, posted to /autodiscover/autodiscover.svc ([MS-OXWSADISC]), which names the
//     server of Exchange Web Services (EWS).
//
// A client is recognized by the schema that it accepts and never by its
// User-Agent. No answer asks for a password: the settings of a domain are no
// secret, and a challenge would only teach clients to send passwords to any server
// that asks. An Authorization header is ignored.
//
// Outlook reaches an Exchange server by MAPI, of which nothing is known here, and refuses
// to open mailboxes over wrong settings. So the POX answers have the entries of an
// Exchange server (EXCH, EXPR) only where the provider allows it, only with the URL of EWS,
// and only for clients that do not say that they speak MAPI. The clients of a provider with
// a real Exchange elsewhere are redirected to it.
package autodiscover
