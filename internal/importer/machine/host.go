package machine

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"slices"
	"strings"

	"signpost/account"
)

// host returns the host name that clients are told for a server with these certificates:
// this machine's own name if they have it, else one that they have.
func (m *machine) host(certificates []setting) string {
	own := m.ownName()
	var names []string
	for _, file := range certificates {
		certificate, err := m.certificate(file.value)
		if err != nil {
			if own != "" {
				m.guess("the host name %s: the certificate %s %v", own, file.value, err)
			}
			continue
		}
		if own != "" && certificate.VerifyHostname(own) == nil {
			return own
		}
		for _, name := range certificate.DNSNames {
			if name = hostName(name); name != "" {
				names = append(names, name)
			}
		}
	}
	name := best(names)
	switch {
	case name == "":
		return m.orGuess(own)
	case own != "":
		m.guess("the host name %s: this machine calls itself %s, which the certificate lacks", name, own)
	}
	return name
}

// best returns the name that most looks as if it were for mail clients.
func best(names []string) string {
	for _, label := range []string{"mail.", "imap.", "smtp.", "mx.", "pop3.", "pop."} {
		if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, label) }); i >= 0 {
			return names[i]
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return ""
}

// ownName returns what the machine calls itself, if that can be a name in DNS.
func (m *machine) ownName() string {
	var names []string
	sure := 1
	if m.postfix != nil {
		names = append(names, m.postfix.get("myhostname", nil).value)
	}
	if m.dovecot != nil {
		names = append(names, m.dovecot.get("hostname", "").value)
		sure = len(names)
		for _, b := range m.dovecot.all("local_name") {
			names = append(names, strings.Fields(b.name)...)
		}
		names = append(names, m.printedHostname)
	}
	for i, name := range names {
		if name = hostName(name); name != "" {
			if i >= sure {
				m.guess("the host name %s: it stands in Dovecot's local_name, or is what the machine was called", name)
			}
			return name
		}
	}
	return ""
}

// orGuess returns the name, or one that many servers have.
func (m *machine) orGuess(own string) string {
	if own != "" {
		return own
	}
	if domains := m.allDomains(); len(domains) > 0 {
		m.guess("the host name mail.%s: this machine has no name that can be found in DNS", domains[0])
		return "mail." + domains[0]
	}
	return ""
}

// hostName returns a name that can be one in public DNS, or nothing.
func hostName(text string) string {
	name, err := account.ParseDomain(text)
	if err != nil || !strings.Contains(name, ".") || net.ParseIP(name) != nil {
		return ""
	}
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "localdomain", "localhost", "local", "internal", "lan":
		return ""
	}
	return name
}

// certificate returns the first certificate of a file. Nothing else of it, such as the
// key, is kept. The error goes on a sentence that names the file.
func (m *machine) certificate(file string) (*x509.Certificate, error) {
	data, err := m.files(file)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, errors.New("may not be read")
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("is not here")
	case err != nil:
		return nil, errors.New("cannot be read")
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("holds no certificate")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("cannot be parsed")
		}
		return certificate, nil
	}
}
