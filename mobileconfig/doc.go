// Package mobileconfig writes and reads Apple configuration profiles, the only
// way to give an iPhone, an iPad or a Mac the settings of a mailbox that is not
// with one of the few providers that Apple knows.
//
// A profile is a property list whose keys Apple publishes as machine-readable
// tables (github.com/apple/device-management, mdm/profiles). This package
// writes com.apple.mail.managed, com.apple.eas.account, com.apple.ews.account,
// com.apple.caldav.account and com.apple.carddav.account. It never writes a
// password, nor an empty string, on which devices fail.
//
// # One profile, one way to the mail
//
// A profile holds one account for each kind of data. Exchange includes calendars
// and contacts, so a profile holds either an Exchange account or a mail account
// with CalDAV and CardDAV beside it, whichever the provider lists first.
//
// Of the two Exchange payloads, ActiveSync exists only on iPhone and iPad, and
// Exchange Web Services only on the Mac. It is not documented what a device does
// with a payload type that it does not have, so they never share a profile: the
// request for a profile names the device (Device), and TargetDeviceType keeps the
// profile off the other.
//
// # Encryption
//
// Apple's mail payload has a single switch, UseSSL, and no key for STARTTLS. The
// device tries both TLS from the first byte and STARTTLS; without the switch it
// would accept clear text, as customers of another server found out
// (zone-eu/wildduck#255). So UseSSL is always true, and a server without
// encryption is not written at all.
package mobileconfig
