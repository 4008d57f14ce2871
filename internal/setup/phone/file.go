package phone

import (
	"bytes"
	"crypto/sha1"
	"encoding/xml"
	"fmt"

	"signpost/account"
)

// SettingsFile returns the settings file (.k9s) for the settings, and false if the app cannot use
// them. Its layout and version are those of the file that the app itself makes of a code
// (feature/migration/qrcode, XmlSettingWriter).
func SettingsFile(s account.Settings, name string) ([]byte, bool) {
	m, ok := mailboxOf(s, name)
	if !ok {
		return nil, false
	}
	file := k9settings{Version: 99, Format: 1}
	file.Account.UUID = uuid(m.address)
	file.Account.Name = m.address
	file.Account.Settings = []k9value{{Key: "deletePolicy", Text: deletePolicies[m.in.kind]}}
	file.Account.Incoming = m.in.file(map[int]string{imapKind: "IMAP", pop3Kind: "POP3"}[m.in.kind])
	file.Account.Outgoing = m.out.file("SMTP")
	file.Account.Identity = k9identity{Name: m.name, Email: m.address}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if e.Encode(file) != nil {
		return nil, false
	}
	b.WriteByte('\n')
	return b.Bytes(), true
}

// deletePolicies say what happens on the server to mail that is deleted on the phone, as the app
// says it of accounts that it sets up itself (legacy/common, DefaultDeletePolicyProvider). In a file
// that says nothing it is NEVER (AccountSettingsDescriptions): deleted mail would stay on the server.
var deletePolicies = map[int]string{imapKind: "DELETE", pop3Kind: "NEVER"}

// uuid returns the account's UUID: the same for the same address (version 5, RFC 9562 §5.5), so
// that a file which is fetched twice is the same.
func uuid(address string) string {
	namespace := []byte("\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8") // URLs
	sum := sha1.Sum(append(namespace, "mailto:"+address...))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// k9settings is the settings file.
type k9settings struct {
	XMLName struct{} `xml:"k9settings"`
	Version int      `xml:"version,attr"`
	Format  int      `xml:"format,attr"`
	Account struct {
		UUID     string     `xml:"uuid,attr"`
		Name     string     `xml:"name"`
		Settings []k9value  `xml:"settings>value"`
		Incoming k9server   `xml:"incoming-server"`
		Outgoing k9server   `xml:"outgoing-server"`
		Identity k9identity `xml:"identities>identity"`
	} `xml:"accounts>account"`
}

type k9value struct {
	Key  string `xml:"key,attr"`
	Text string `xml:",chardata"`
}

type k9server struct {
	Type     string `xml:"type,attr"`
	Host     string `xml:"host"`
	Port     int    `xml:"port"`
	Security string `xml:"connection-security"`
	Auth     string `xml:"authentication-type"`
	Username string `xml:"username,omitempty"`
}

type k9identity struct {
	Name  string `xml:"name"`
	Email string `xml:"email"`
}

func (s server) file(kind string) k9server {
	return k9server{Type: kind, Host: s.host, Port: s.port, Username: s.username,
		Security: map[int]string{startTLS: "STARTTLS_REQUIRED", tls: "SSL_TLS_REQUIRED"}[s.security],
		Auth:     map[int]string{noAuth: "NONE", plainAuth: "PLAIN", encryptedAuth: "CRAM_MD5"}[s.auth]}
}
