// Package account holds the words in which the rest of the program speaks: the
// address that somebody typed into a mail client, the question that the client
// asks about it, and the settings that answer the question.
//
// The words are those of Mozilla's autoconfig format wherever they fit
// (displayName, hostname, socketType, authentication, username and the
// placeholders %EMAILADDRESS%, %EMAILLOCALPART%, %EMAILDOMAIN%), because whoever
// has read one autoconfig file then reads ours. Only domainName is Microsoft's:
// the NT domain that stands before the user name of a login.
package account
