package acceptance

// noAutodiscover is a domain whose host autodiscover has no such service. Without the
// autoconfig file, Thunderbird finds nothing there.
var noAutodiscover = map[string]behaviour{"autodiscover": notFound}

// autoconfigAlone are edits for a domain where the answer of the host autoconfig is all that
// there is.
var autoconfigAlone = edits{web: map[string]behaviour{"autodiscover": notFound, "@": notFound}}

// fromOther are the servers that the provider has to whom the MX of some subjects leads.
const fromOther = "imap in8.other.example:993 SSL as anna@@, smtp out8.other.example:465 SSL as anna@@"

// dnsPlants are faults in DNS.
var dnsPlants = []plant{
	{
		name: "d1", faults: []string{"D1"},
		shape: edits{web: map[string]behaviour{"@": notFound}},
		fault: edits{zone: []string{"-autoconfig", "-autodiscover"}},
		tb:    "nothing",
	},
	{
		// The site behind the wildcard shows its start page for every path of such a host.
		name: "d2", faults: []string{"D2"},
		shape: edits{web: map[string]behaviour{"@": notFound}},
		fault: edits{
			zone:        []string{"-autoconfig", "-autodiscover", "* A " + webIP},
			web:         map[string]behaviour{"*": homePage, "@": notFound},
			certificate: map[string]certificateKind{"*": wildcardSite, "@": ""},
		},
		tb: "nothing",
	},
	{
		// As d2, but the MX leads to a provider with a file.
		name: "d2mx", faults: []string{"D2"},
		shape: edits{
			zone: []string{"-@ MX", "@ MX 10 mx1.in.other.example.",
				"-_imaps._tcp", "-_submissions._tcp", "-_submission._tcp",
				"_imaps._tcp SRV 0 1 993 in8.other.example.", "_submissions._tcp SRV 0 1 465 out8.other.example.",
				"_submission._tcp SRV 0 1 587 out8.other.example."},
			web: map[string]behaviour{"@": notFound},
			doc: []string{"in7.hoster", "in8.other", "out7.hoster", "out8.other"},
			pox: []string{"in7.hoster", "in8.other", "out7.hoster", "out8.other"},
		},
		fault: edits{
			zone:        []string{"-autoconfig", "-autodiscover", "* A " + webIP},
			web:         map[string]behaviour{"*": homePage, "@": notFound},
			certificate: map[string]certificateKind{"*": wildcardSite, "@": ""},
		},
		tb: "https://autoconfig.in.other.example: " + fromOther,
	},
	{
		// The former provider's server sends every question on to its own domain.
		name: "d3", faults: []string{"D3"},
		fault: edits{
			zone:        []string{"-autodiscover", "autodiscover CNAME autodiscover.oldhost.example."},
			web:         map[string]behaviour{"autodiscover": toOldHost},
			certificate: map[string]certificateKind{"autodiscover": foreignName},
		},
		tb: "asks about oldhost.example",
	},
	{
		name: "d4", faults: []string{"D4"},
		shape: edits{web: noAutodiscover},
		fault: edits{zone: []string{"_autodiscover._tcp SRV 0 0 443 mail.oldhost.example."}},
		tb:    "asks about oldhost.example",
	},
	{
		// The final dot was forgotten.
		name: "d7", faults: []string{"D7"},
		fault: edits{zone: []string{"-_imaps._tcp", "_imaps._tcp SRV 0 1 993 in7.hoster.example.@."}},
		tb:    "https://autoconfig.@",
	},
	{
		name: "d8", faults: []string{"D8"},
		fault: edits{zone: []string{"-_imaps._tcp", "_imaps._tcp SRV 0 20 993 in7.hoster.example.",
			"_imaps._tcp SRV 0 0 993 in8.hoster.example."}},
		tb: "https://autoconfig",
	},
	{
		name: "d10", faults: []string{"D10"},
		fault: edits{zone: []string{"-_submission._tcp"}},
		tb:    "https://autoconfig.@",
	},
	{name: "d11", faults: []string{"D11"}, tb: "nothing"}, // its signatures have expired: startLaboratory
	{
		name: "d13", faults: []string{"D13"},
		shape: edits{
			zone: ownHosts,
			doc:  []string{"in7.hoster.example", "in.@", "out7.hoster.example", "out.@"},
			pox:  []string{"in7.hoster.example", "in.@", "out7.hoster.example", "out.@"},
		},
		fault: edits{zone: []string{"in AAAA " + deadIPv6}},
		tb:    "https://autoconfig.@",
	},
	{
		name: "d16", faults: []string{"D16"},
		shape: edits{
			zone: []string{"-@ MX", "@ MX 10 mx1.in.other.example."},
			web:  map[string]behaviour{"@": notFound},
		},
		fault: edits{zone: []string{"-autoconfig", "-autodiscover"}},
		tb:    "https://autoconfig.in.other.example: " + fromOther,
	},
}
