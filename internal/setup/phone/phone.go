// Package phone writes what sets up a mail app on an Android phone without typing: the text of a
// QR code for Thunderbird for Android, and a settings file for it and for K-9 Mail. Neither holds
// a password: the app asks for it.
//
// The code is format 1 of Thunderbird's account transfer (thunderbird-android,
// feature/migration/qrcode, qr-code-format.md). The app refuses a whole code for what its
// document allows, such as null, and gives no sign of it up to version 22, so Code keeps to what
// the app's reader takes.
package phone

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"signpost/account"
)

// mailbox is what the app needs to know.
type mailbox struct {
	address, name string
	in, out       server
}

// server is a server in the app's words.
type server struct {
	kind     int // 0 IMAP, 1 POP3; 0 SMTP
	host     string
	port     int
	security int // 2 STARTTLS, 3 TLS; 0 and 1 are never written
	auth     int // 0 none, 1 password, 2 encrypted password
	username string
}

// Codes of the format.
const (
	startTLS, tls      = 2, 3
	noAuth, plainAuth  = 0, 1
	encryptedAuth      = 2
	imapKind, pop3Kind = 0, 1
)

// addressLine is what the app's strict parser takes: no quoted local part, and ASCII only.
var addressLine = regexp.MustCompile(
	`^[A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-]+` +
		`(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// mailboxOf returns what the settings are for the app, and false if it cannot use them: without
// IMAP or POP3 and SMTP, without encryption, without a password, or with an address that it
// refuses. The name is the person's and may be empty.
func mailboxOf(s account.Settings, name string) (mailbox, bool) {
	m := mailbox{address: s.Address.String(), name: withoutControls(name)}
	if len(m.address) > 254 || len(s.Address.Local()) > 64 || !addressLine.MatchString(m.address) {
		return m, false
	}
	servers := s.Expanded()
	incoming, ok := firstUsable(servers, account.IMAP, imapKind)
	if !slices.ContainsFunc(servers, func(s account.Server) bool { return s.Type == account.IMAP }) {
		// POP3 moves the mail to the phone: never in place of an IMAP server that the app cannot use.
		incoming, ok = firstUsable(servers, account.POP3, pop3Kind)
	}
	outgoing, sends := firstUsable(servers, account.SMTP, 0)
	m.in, m.out = incoming, outgoing
	return m, ok && sends && incoming.auth != noAuth
}

// firstUsable returns the first server of a type that the app can use.
func firstUsable(servers []account.Server, t account.ServerType, kind int) (server, bool) {
	for _, s := range servers {
		if s.Type != t {
			continue
		}
		r := server{kind: kind, host: s.Hostname, port: s.Port, username: s.Login.Username, auth: -1}
		r.security = map[account.SocketType]int{account.SSL: tls, account.STARTTLS: startTLS}[s.SocketType]
		for _, method := range s.Authentication {
			switch method {
			case account.PasswordCleartext:
				r.auth = plainAuth
			case account.PasswordEncrypted:
				r.auth = encryptedAuth
			case account.NoAuthentication, account.ClientIPAddress:
				r.auth, r.username = noAuth, ""
			default:
				continue // a sign-in that the app has for few hosts only
			}
			break
		}
		host, err := account.ParseDomain(r.host)
		r.host = host // in A-labels
		if err == nil && r.security != 0 && r.auth >= 0 && 0 < r.port && r.port < 65536 &&
			r.username == withoutControls(r.username) {
			return r, true
		}
	}
	return server{}, false
}

// Code returns the text of the QR code for the settings, and false if the app cannot use them.
func Code(s account.Settings, name string) (string, bool) {
	m, ok := mailboxOf(s, name)
	if !ok {
		return "", false
	}
	// [1, [n, of], IN, [[[OUT], [address, name]]]]
	return fmt.Sprintf(`[1,[1,1],%s,[[%s,[%s,%s]]]]`, m.in.json(), m.out.json(), quote(m.address), quote(m.name)), true
}

func (s server) json() string {
	return fmt.Sprintf(`[%d,%s,%d,%d,%d,%s]`, s.kind, quote(s.host), s.port, s.security, s.auth, quote(s.username))
}

// quote returns a text as JSON in ASCII, so that no reader has to guess the encoding of the code.
func quote(text string) string {
	data, err := json.Marshal(withoutControls(text))
	if err != nil {
		return `""`
	}
	var b strings.Builder
	for _, r := range string(data) {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// withoutControls returns a text with spaces in place of control characters, line and paragraph
// separators, what XML cannot have (U+FFFE and U+FFFF) and what is not UTF-8.
func withoutControls(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
}
