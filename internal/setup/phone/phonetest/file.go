package phonetest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// fileServer is a server in a settings file.
type fileServer struct {
	Type     string  `xml:"type,attr"`
	Host     string  `xml:"host"`
	Port     int     `xml:"port"`
	Security string  `xml:"connection-security"`
	Auth     string  `xml:"authentication-type"`
	Username string  `xml:"username"`
	Password *string `xml:"password"`
}

// settingsFile is the part of a settings file that Signpost writes.
type settingsFile struct {
	XMLName  xml.Name `xml:"k9settings"`
	Version  int      `xml:"version,attr"`
	Format   int      `xml:"format,attr"`
	Accounts []struct {
		UUID   string `xml:"uuid,attr"`
		Name   string `xml:"name"`
		Values []struct {
			Key  string `xml:"key,attr"`
			Text string `xml:",chardata"`
		} `xml:"settings>value"`
		Incoming   *fileServer `xml:"incoming-server"`
		Outgoing   *fileServer `xml:"outgoing-server"`
		Identities []struct {
			Name  string `xml:"name"`
			Email string `xml:"email"`
		} `xml:"identities>identity"`
	} `xml:"accounts>account"`
}

// ReadFile returns the account of a settings file (SettingsFileParser, AccountSettingsValidator,
// ServerSettingsDescriptions).
func ReadFile(data []byte) (a Account, err error) {
	var root settingsFile
	if err := xml.Unmarshal(data, &root); err != nil {
		return a, err
	}
	// From content version 95 on, there is a server that asks for no sign-in.
	if root.Format != 1 || root.Version < 95 || len(root.Accounts) != 1 {
		return a, fmt.Errorf("format %d, version %d, %d accounts", root.Format, root.Version, len(root.Accounts))
	}
	from := root.Accounts[0]
	if !uuidForm.MatchString(from.UUID) {
		return a, fmt.Errorf("the app passes over an account with the UUID %q", from.UUID)
	}
	if from.Name == "" || from.Incoming == nil || from.Outgoing == nil || len(from.Identities) == 0 {
		return a, errors.New("an account without a name, one of its servers or an identity")
	}
	// What is not set has the default of AccountSettingsDescriptions: deleted mail stays on the server.
	a = Account{Name: from.Name, Email: from.Identities[0].Email, DisplayName: from.Identities[0].Name,
		DeletePolicy: "NEVER"}
	if !isAddress(a.Email) {
		return a, fmt.Errorf("the address is %q", a.Email)
	}
	for _, value := range from.Values {
		if value.Key != "deletePolicy" || !slices.Contains([]string{"NEVER", "DELETE", "MARK_AS_READ"}, value.Text) {
			return a, fmt.Errorf("the setting %q is %q", value.Key, value.Text)
		}
		a.DeletePolicy = value.Text
	}
	if a.Incoming, err = from.Incoming.read("IMAP", "POP3"); err != nil {
		return a, fmt.Errorf("the incoming server: %w", err)
	}
	if a.Outgoing, err = from.Outgoing.read("SMTP"); err != nil {
		return a, fmt.Errorf("the outgoing server: %w", err)
	}
	return a, nil
}

func (s fileServer) read(types ...string) (Server, error) {
	switch {
	case !slices.Contains(types, s.Type):
		return Server{}, fmt.Errorf("the type is %q", s.Type)
	case !isHost(s.Host):
		return Server{}, fmt.Errorf("the host is %q", s.Host)
	case s.Port < 1 || s.Port > 65535:
		return Server{}, fmt.Errorf("the port is %d", s.Port)
	case !has(securities, s.Security):
		return Server{}, fmt.Errorf("the connection security is %q", s.Security)
	case !has(methods, s.Auth):
		return Server{}, fmt.Errorf("the authentication type is %q", s.Auth)
	case strings.ContainsAny(s.Username, "\r\n"):
		return Server{}, errors.New("the user name is not one line")
	case s.Password != nil:
		return Server{}, errors.New("it has a password")
	}
	return Server{s.Type, s.Host, s.Port, s.Security, s.Auth, s.Username}, nil
}

func has(words map[int]string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}
