package acceptance

import "slices"

// tlsPlants are faults of certificates and TLS.
var tlsPlants = []plant{
	certificates("t1", "T1", foreignName, "http://autoconfig.@"),
	certificates("t2", "T2", expired, "http://autoconfig.@"),
	certificates("t3", "T3", leafOnly, "http://autoconfig.@"),
	certificates("t4", "T4", selfSigned, "http://autoconfig.@"),
	certificates("t5", "T5", oldTLS, "http://autoconfig.@"),
	{
		// The host is named after the customer, and shows the hoster's certificate.
		name: "t7", faults: []string{"T7"},
		shape: edits{
			zone: []string{"imap A " + goodMail, "-_imaps._tcp", "_imaps._tcp SRV 0 1 993 imap.@."},
			doc:  []string{"in7.hoster.example", "imap.@"}, pox: []string{"in7.hoster.example", "imap.@"},
		},
		fault:  edits{zone: []string{"-imap", "imap A " + foreignMail}},
		mended: []string{"-imap", "imap A " + goodMail},
		tb:     "https://autoconfig.@",
	},
}

func certificates(name, fault string, kind certificateKind, tb string) plant {
	return plant{
		name: name, faults: []string{fault}, shape: autoconfigAlone,
		fault: edits{certificate: map[string]certificateKind{"autoconfig": kind}}, tb: tb,
	}
}

// documentPlants are faults of documents.
var documentPlants = []plant{
	{
		name: "c1", faults: []string{"C1"},
		fault: edits{pox: []string{"<Encryption>SSL</Encryption>", "<Encryption>TLS</Encryption>"}},
		tb:    "https://autoconfig.@",
	},
	document("c2", "C2", "https://autoconfig.@: imap in7.hoster.example:993 STARTTLS as anna@@, smtp ",
		"<port>993</port>\n      <socketType>SSL<", "<port>993</port>\n      <socketType>STARTTLS<"),
	document("c3", "C3", "nothing",
		"<port>993</port>\n      <socketType>SSL<", "<port>993</port>\n      <socketType>TLS<"),
	document("c5", "C5", "https://autoconfig.@: imap in7.hoster.example:993 SSL as true, smtp ",
		"<username>%EMAILADDRESS%</username>", "<username/>"),
	document("c9", "C9", "nothing",
		`<incomingServer type="imap">`, `<incomingServer type="pop3">
      <hostname>pop7.hoster.example</hostname>
      <port>995</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <incomingServer type="imap">`,
		"<outgoingServer type=\"smtp\">\n      <hostname>out7.hoster.example</hostname>\n      <port>465</port>\n"+
			"      <socketType>SSL</socketType>\n      <authentication>password-cleartext</authentication>\n"+
			"      <username>%EMAILADDRESS%</username>\n    </outgoingServer>\n", ""),
	document("c10", "C10", "nothing",
		"<authentication>password-cleartext</authentication>", "<authentication>OAuth2</authentication>"),
	web("c11", "C11", cutAfter(`<incomingServer type="im`), "nothing"),
	// Cut between two elements, Delta Chat takes it for a whole file without servers.
	web("c11b", "C11", cutAfter("</displayName>"), "nothing"),
	{
		name: "c16", faults: []string{"C16"},
		fault: edits{
			zone: []string{"-_imaps._tcp", "_imaps._tcp SRV 0 1 993 in9.hoster.example."},
			pox:  []string{"in7.hoster.example", "in8.hoster.example"},
		},
		mended: []string{"-_imaps._tcp", "_imaps._tcp SRV 0 1 993 in7.hoster.example."},
		tb:     "https://autoconfig.@",
	},
}

// document is a plant in the autoconfig file of a domain that has nothing else.
func document(name, fault, tb string, replacements ...string) plant {
	return plant{
		name: name, faults: []string{fault}, shape: edits{web: noAutodiscover},
		fault: edits{doc: replacements}, tb: tb,
	}
}

// mailPlants are faults of mail servers that a document names, and those that Thunderbird
// meets while it guesses, because there is no document.
var mailPlants = []plant{
	mail("m1", "M1", closedSMTP, "https://autoconfig.@"),
	mail("m2", "M2", noSTARTTLS, "https://autoconfig.@"),
	mail("m3", "M3", plain465, "https://autoconfig.@"),
	mail("m4", "M4", noAUTH, "https://autoconfig.@"),
	mail("m7", "M7", slowGreeting, "https://autoconfig.@"),
	// Nobody named the host, so what D1 says is all: the doctor knows of no server that should be there.
	guessed("gm1", closedSMTP, "nothing"),
	guessed("gm2", noSTARTTLS, "guess: imap imap.@:993 SSL as anna, smtp smtp.@:587 plain as anna", "M2"),
	guessed("gm3", plain465, "guess: imap imap.@:993 SSL as anna, smtp smtp.@:587 STARTTLS as anna", "M3"),
	guessed("gm4", noAUTH, "guess: imap imap.@:993 SSL as anna, smtp smtp.@:587 STARTTLS as anna", "M4"),
	guessed("gm7", greeting8, "guess: imap imap.@:993 SSL as anna, smtp smtp.@:465 SSL as anna", "M7"),
	guessed("gm7b", slowGreeting, "nothing", "M7"),
	// The guess looks at the certificate where TLS begins at once only.
	guessed("gt7", foreignMail, "guess: imap imap.@:143 STARTTLS as anna, smtp smtp.@:587 STARTTLS as anna", "T7"),
}

// ownHosts are records of a domain whose servers have names of its own.
var ownHosts = []string{
	"in A " + goodMail, "out A " + goodMail,
	"-_imaps._tcp", "_imaps._tcp SRV 0 1 993 in.@.",
	"-_submissions._tcp", "_submissions._tcp SRV 0 1 465 out.@.",
	"-_submission._tcp", "_submission._tcp SRV 0 1 587 out.@.",
}

// mail is a plant at the outgoing server, which the documents name with port 587 if the
// fault is there.
func mail(name, fault, listener, tb string) plant {
	shape := edits{
		zone: slices.Clone(ownHosts),
		doc:  []string{"in7.hoster.example", "in.@", "out7.hoster.example", "out.@"},
		pox:  []string{"in7.hoster.example", "in.@", "out7.hoster.example", "out.@"},
	}
	if listener == noSTARTTLS || listener == noAUTH {
		// The fault is at port 587, and 465 is not there.
		shape.zone = append(shape.zone, "-_submissions._tcp", "_submissions._tcp SRV 0 0 0 .", "-out", "out A "+only587)
		shape.doc = append(shape.doc,
			"<port>465</port>\n      <socketType>SSL<", "<port>587</port>\n      <socketType>STARTTLS<")
		shape.pox = append(shape.pox, "<Port>465</Port>", "<Port>587</Port>",
			"<SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired>\n        <UsePOPAuth>",
			"<SSL>on</SSL><Encryption>TLS</Encryption><AuthRequired>on</AuthRequired>\n        <UsePOPAuth>")
	}
	return plant{
		name: name, faults: []string{fault}, shape: shape,
		fault:  edits{zone: []string{"-out", "out A " + listener}},
		mended: []string{"-out", "out A " + goodMail}, tb: tb,
	}
}

// guessed is a domain without any record but those of servers with the usual names.
func guessed(name, listener, tb string, faults ...string) plant {
	shape := edits{
		zone: []string{"imap A " + goodMail, "smtp A " + goodMail, "-autoconfig", "-autodiscover",
			"-_imaps._tcp", "-_submissions._tcp", "-_submission._tcp", "-_imap._tcp", "-_pop3._tcp", "-_pop3s._tcp"},
		web: map[string]behaviour{"@": notFound},
	}
	return plant{
		name: name, faults: faults, always: []string{"D1"}, shape: shape,
		fault:  edits{zone: []string{"-imap", "-smtp", "imap A " + listener, "smtp A " + listener}},
		mended: []string{"-imap", "-smtp", "imap A " + goodMail, "smtp A " + goodMail}, tb: tb,
	}
}

// combinations are domains with more than one fault.
var combinations = []plant{
	{
		name: "d2t1h1", faults: []string{"D2", "T1", "H1"},
		shape: edits{web: noAutodiscover},
		fault: edits{
			zone:        []string{"-autodiscover", "-autoconfig", "autoconfig A " + secondWebIP, "* A " + webIP},
			web:         map[string]behaviour{"autodiscover": homePage, "*": homePage, "@": notFound},
			certificate: map[string]certificateKind{"*": wildcardSite, "@": ""},
		},
	},
	{
		name: "d3auto", faults: []string{"D3"},
		fault: edits{
			zone:        []string{"-autodiscover", "autodiscover CNAME autodiscover.outlook.com."},
			web:         map[string]behaviour{"autodiscover": toMicrosoft},
			certificate: map[string]certificateKind{"autodiscover": foreignName},
		},
		tb: "signs in at outlook.com",
	},
	{
		// The file of Mozilla's list is old, and nothing else is there.
		name: "c15d1", faults: []string{"C15", "D1"},
		shape: edits{web: map[string]behaviour{"@": notFound}},
		fault: edits{zone: []string{"-autoconfig", "-autodiscover"}},
		tb:    "https://live.thunderbird.net: " + fromOther,
	},
	{
		name: "m4docs", faults: []string{"M4"},
		shape: mail("m4docs", "M4", noAUTH, "").shape, fault: mail("m4docs", "M4", noAUTH, "").fault,
		mended: mail("m4docs", "M4", noAUTH, "").mended, tb: "https://autoconfig.@",
	},
	{
		name: "d13m1", faults: []string{"D13", "M1"},
		shape:  mail("d13m1", "M1", closedSMTP, "").shape,
		fault:  edits{zone: []string{"in AAAA " + deadIPv6, "-out", "out A " + closedSMTP}},
		mended: []string{"-out", "out A " + goodMail}, tb: "https://autoconfig.@",
	},
	{
		name: "h9d1", faults: []string{"H9", "D1"},
		shape: edits{web: map[string]behaviour{"autodiscover": notFound, "@": notFound}},
		fault: edits{zone: []string{"-autoconfig"}, web: map[string]behaviour{"autodiscover": locked}},
		tb:    "Exchange auth error",
	},
}
