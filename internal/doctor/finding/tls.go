package finding

import "context"

// tlsFaults are the faults of certificates and TLS.
var tlsFaults = []Fault{
	{"T1", Error, "a web server's certificate is for another name",
		"autoconfig.‹domain› or autodiscover.‹domain› leads to a server whose certificate has other names only",
		"a certificate with the name, or a redirect over http to a host that has one",
		"Outlook (warns), Thunderbird and others (pass the place over)", foreignWebCertificates},
	{"T2", Error, "the certificate has expired, or is not valid yet",
		"renewal failed, or the service was not reloaded after it; or a clock is wrong",
		"renew it, and reload the service", "all clients that check certificates", endedCertificates},
	{"T3", Error, "the chain is incomplete",
		"the server has the file with its own certificate in place of the one with the whole chain",
		"fullchain.pem in place of cert.pem",
		"phones, and programs that do not remember the certificates of issuers; browsers and Thunderbird often do",
		incompleteChains},
	{"T4", Error, "nobody knows the issuer of the certificate",
		"the certificate of the installation, which signs itself, or one of a private authority",
		"a certificate of a public authority", "Thunderbird's search passes over it, phones refuse it", unknownIssuers},
	{"T5", Error, "no version of TLS in common",
		"an old server without TLS 1.2, or one with TLS 1.3 only", "TLS 1.2 and 1.3",
		"all clients of today; with TLS 1.3 only, older ones", unusualVersions},
	{"T6", Note, "the issuer's root is unknown to old devices",
		"a new root, or a chain without the old one's signature", "another chain, if old devices matter",
		"Android 7 and older; no client here is as old, so no diagnosis reports it", never},
	{"T7", Error, "a mail server's certificate is for another name",
		"clients are told a name of the customer's domain, and the server has the hoster's certificate",
		"tell the hoster's name, or get a certificate with the name that is told",
		"all clients that check certificates; some ask the person", foreignMailCertificates},
	{"T8", Error, "the certificate has been renewed on some ports only",
		"a service was not reloaded after the renewal", "reload the other service",
		"clients that use the port with the old one", notReloaded},
	{"T9", Note, "clients without SNI see another certificate",
		"the server chooses by the name that clients send, and its certificate for others is another one",
		"the mail host's certificate as the default",
		"old clients that do not name the server in TLS", otherWithoutSNI},
}

// never finds nothing: a fault that is in the catalogue for people who ask.
func never(context.Context, *Case) []Finding { return nil }
