// Package mobileconfig writes and reads Apple configuration profiles, the only
// way to give an iPhone, an iPad or a Mac the settings of a mailbox that is not
// with one of the few providers that Apple knows.
//
// A profile is a property list whose keys Apple publishes as machine-readable
// tables (github.com/apple/device-management, mdm/profiles). This package
// writes com.apple.mail.managed, com.apple.eas.account, com.apple.ews.account,
// com.apple.caldav.account and com.apple.carddav.account, never a password, and
// never an empty string, on which devices stumble.
//
// # One profile, one way to the mail
//
// A profile holds one account for each kind of data. Exchange brings calendars
// and contacts along, so a profile holds either an Exchange account or a mail
// account with CalDAV and CardDAV beside it, whichever the configuration lists
// first.
//
// Of the two Exchange payloads, ActiveSync exists on iPhone and iPad only and
// Exchange Web Services on the Mac only. What a device does with a payload type
// that it does not have is written nowhere, so both never share a profile:
// whoever asks for the profile says which device it is for (Device), and
// TargetDeviceType keeps it off the other.
//
// # Encryption
//
// Apple's mail payload has one switch, UseSSL, and no word for STARTTLS. The
// device tries TLS from the first byte and STARTTLS by itself; without the
// switch it would accept clear text, as customers of a peer found out
// (zone-eu/wildduck#255). So UseSSL is always true, and a server that offers no
// encryption is not written at all.
package mobileconfig
