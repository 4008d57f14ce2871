// Package phonetest reads QR codes and settings files as Thunderbird for Android reads them, and
// refuses what the app refuses. It is for tests.
//
// The facts are from the app's source (thunderbird-android, a59bd679): feature/migration/qrcode
// for codes, legacy/core/…/preferences for files, core/common for addresses and host names.
package phonetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Account is what the app sets up, in the words of its settings file.
type Account struct {
	Name, DisplayName  string // of the account, of the person
	Email              string
	Incoming, Outgoing Server
	// DeletePolicy says what happens on the server to mail that is deleted on the phone.
	DeletePolicy string
}

// Server is a server of an account.
type Server struct {
	Type           string // IMAP, POP3, SMTP
	Host           string
	Port           int
	Security, Auth string
	Username       string
}

// The app's words for the numbers of a code (IntValueMapper and SettingsValueMapper). Security 1
// is read as STARTTLS, but the format's document says that nobody writes it; 3 and 4 of the
// authentications are refused.
var (
	incomingTypes = map[int]string{0: "IMAP", 1: "POP3"}
	outgoingTypes = map[int]string{0: "SMTP"}
	securities    = map[int]string{0: "NONE", 2: "STARTTLS_REQUIRED", 3: "SSL_TLS_REQUIRED"}
	methods       = map[int]string{0: "NONE", 1: "PLAIN", 2: "CRAM_MD5", 5: "EXTERNAL", 6: "XOAUTH2"}
	// deletePolicies are what the app sets for an account from a code (DefaultDeletePolicyProvider).
	deletePolicies = map[string]string{"IMAP": "DELETE", "POP3": "NEVER"}
)

// ReadCode returns the accounts of a code. The app refuses a code as a whole for any fault in it
// (QrCodePayloadAdapter, QrCodePayloadValidator).
func ReadCode(text string) ([]Account, error) {
	root, err := array([]byte(text), 4)
	if err != nil {
		return nil, err
	}
	if version, err := number(root[0]); err != nil || version != 1 {
		return nil, fmt.Errorf("the format is %s", root[0])
	}
	count, err := array(root[1], 2)
	if err != nil {
		return nil, fmt.Errorf("the count: %w", err)
	}
	n, err1 := number(count[0])
	of, err2 := number(count[1])
	if err := errors.Join(err1, err2); err != nil || n < 1 || n > of {
		return nil, fmt.Errorf("the count is %s", root[1])
	}
	var accounts []Account
	for rest := root[2:]; len(rest) > 0; rest = rest[2:] {
		if len(rest) == 1 {
			return nil, errors.New("an incoming server has no outgoing one")
		}
		a, err := readAccount(rest[0], rest[1])
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// readAccount reads an incoming server and the groups of an outgoing server with identities. The
// app checks all groups and uses the first server and identity.
func readAccount(incoming, outgoing json.RawMessage) (a Account, err error) {
	if a.Incoming, err = readServer(incoming, incomingTypes); err != nil {
		return a, fmt.Errorf("the incoming server: %w", err)
	}
	groups, err := array(outgoing, 1)
	if err != nil {
		return a, fmt.Errorf("the outgoing servers: %w", err)
	}
	for i, data := range groups {
		group, err := array(data, 2)
		if err != nil {
			return a, fmt.Errorf("the outgoing server: %w", err)
		}
		server, err := readServer(group[0], outgoingTypes)
		if err != nil {
			return a, fmt.Errorf("the outgoing server: %w", err)
		}
		for j, data := range group[1:] {
			email, name, err := readIdentity(data)
			if err != nil {
				return a, fmt.Errorf("an identity: %w", err)
			}
			if i == 0 && j == 0 {
				a.Outgoing, a.Email, a.DisplayName = server, email, name
			}
		}
	}
	a.Name, a.DeletePolicy = a.Email, deletePolicies[a.Incoming.Type]
	return a, nil
}

func readServer(data json.RawMessage, types map[int]string) (s Server, err error) {
	fields, err := array(data, 6)
	if err != nil {
		return s, err
	}
	if s.Host, err = line(fields[1]); err != nil || !isHost(s.Host) {
		return s, fmt.Errorf("the host is %s", fields[1])
	}
	if s.Port, err = number(fields[2]); err != nil || s.Port < 1 || s.Port > 65535 {
		return s, fmt.Errorf("the port is %s", fields[2])
	}
	for _, one := range []struct {
		field json.RawMessage
		words map[int]string
		into  *string
	}{{fields[0], types, &s.Type}, {fields[3], securities, &s.Security}, {fields[4], methods, &s.Auth}} {
		n, err := number(one.field)
		word, ok := one.words[n]
		if err != nil || !ok {
			return s, fmt.Errorf("%s stands for nothing", one.field)
		}
		*one.into = word
	}
	for i, field := range fields[5:] { // user name, account name, password
		text, err := line(field)
		if err != nil {
			return s, err
		}
		if i == 0 {
			s.Username = text
		}
	}
	return s, nil
}

func readIdentity(data json.RawMessage) (email, name string, err error) {
	fields, err := array(data, 2)
	if err != nil {
		return "", "", err
	}
	if email, err = line(fields[0]); err != nil || !isAddress(email) {
		return "", "", fmt.Errorf("the address is %s", fields[0])
	}
	name, err = line(fields[1])
	return email, name, err
}

// array reads an array of at least so many elements, none of which is null. The app passes over
// further elements.
func array(data json.RawMessage, least int) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	if len(list) < least {
		return nil, fmt.Errorf("%d elements, want at least %d", len(list), least)
	}
	for _, element := range list {
		if string(element) == "null" {
			return nil, errors.New("null in an array")
		}
	}
	return list, nil
}

func number(data json.RawMessage) (n int, err error) {
	err = json.Unmarshal(data, &n)
	return n, err
}

// line reads a text of one line. That it has no other control character is asked by this reader
// alone.
func line(data json.RawMessage) (text string, err error) {
	if err := json.Unmarshal(data, &text); err != nil {
		return "", err
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\u2028' || r == '\u2029' }) {
		return "", errors.New("a text is not one line")
	}
	return text, nil
}

const (
	label = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	atom  = `[A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-]+`
)

var (
	hostForm    = regexp.MustCompile(`^` + label + `(\.` + label + `)*$`)
	addressForm = regexp.MustCompile(`^(` + atom + `(?:\.` + atom + `)*)@(` + label + `(?:\.` + label + `)*)$`)
)

// isHost reports whether the app takes the text as a host name (HostNameUtils). IP addresses,
// which the app takes too, are never written.
func isHost(text string) bool { return len(text) <= 255 && hostForm.MatchString(text) }

// isAddress reports whether the app takes the text as an account's address
// (EmailAddressParserConfig.LIMITED): no quoted local part, no address literal, ASCII alone.
func isAddress(text string) bool {
	parts := addressForm.FindStringSubmatch(text)
	return parts != nil && len(parts[1]) <= 64 && len(parts[2]) <= 255 && len(text) <= 254
}
