// Package account defines the types that all other packages share: the address
// that a person typed into a mail client, the query of the client, and the
// settings that answer it. It also completes placeholders, and caches documents
// for the packages that write them.
//
// The names are those of Mozilla's autoconfig format wherever they fit
// (displayName, hostname, socketType, authentication, username and the
// placeholders %EMAILADDRESS%, %EMAILLOCALPART%, %EMAILDOMAIN%), as many readers
// know that format already. Only domainName is Microsoft's: the NT domain that
// stands before the user name of a login.
package account
