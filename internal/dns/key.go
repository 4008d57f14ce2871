package dns

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"signpost/internal/regular"
)

// Update says where the records of a zone are published, and with which key.
type Update struct {
	Zone    string // this domain and everything below it; "*" for domains in no other zone
	Primary string // address, with or without a port
	Key     Key
}

// Secret is the secret of a key. It prints as a row of stars, so that no message
// or log can show it by mistake.
type Secret string

func (Secret) String() string       { return "****" }
func (Secret) GoString() string     { return "****" }
func (Secret) LogValue() slog.Value { return slog.StringValue("****") }

// MarshalText returns stars, which keeps the secret out of JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("****"), nil }

// Key signs updates (TSIG, RFC 8945).
type Key struct {
	Name      string
	Algorithm string // hmac-sha256, hmac-sha384 or hmac-sha512
	Secret    Secret // base64
}

// Algorithms lists the algorithms that RFC 8945 §6 does not advise against.
var Algorithms = []string{"hmac-sha256", "hmac-sha384", "hmac-sha512"}

// Check returns what is wrong with the key, or nil.
func (k Key) Check() error {
	switch raw, err := base64.StdEncoding.DecodeString(string(k.Secret)); {
	case k.Name == "":
		return errors.New("the key has no name")
	case !slices.Contains(Algorithms, k.Algorithm):
		return fmt.Errorf("the key's algorithm is %q, it must be one of %s",
			k.Algorithm, strings.Join(Algorithms, ", "))
	case k.Secret == "":
		return errors.New("the key has no secret")
	case err != nil:
		return errors.New("the key's secret is not base64") // and is not quoted
	case len(raw) < 16:
		return fmt.Errorf("the key's secret has %d bytes, at least 16 are needed", len(raw))
	}
	if _, ok := dns.IsDomainName(k.Name); !ok {
		return fmt.Errorf("%q cannot be the name of a key", k.Name)
	}
	return nil
}

var (
	bindKey = regexp.MustCompile(`(?s)^\s*key\s+"?([^"\s{;]+)"?\s*\{([^{}]*)\}\s*;?\s*$`)
	// Two slashes inside a quoted secret do not begin a comment.
	bindComment = regexp.MustCompile(`("[^"\n]*")|(?s:/\*.*?\*/)|(?:(?://|#).*)`)
	bindOption  = regexp.MustCompile(`(?i)\b(algorithm|secret)\s+(?:"([^"]*)"|([^"\s;][^";]*?))\s*;`)
	knotKey     = regexp.MustCompile(`(?m)^#?\s*(hmac-[a-z0-9]+):([^:\s]+):([A-Za-z0-9+/=]+)\s*$`)
)

// ReadKeyFile reads a key from a file, in the format of BIND's tsig-keygen and
// PowerDNS's documentation, or in that of Knot's keymgr: its first line,
// "# hmac-sha256:name:secret", which knsupdate reads as well.
func ReadKeyFile(path string) (Key, error) {
	text, err := regular.Read(path, 64<<10)
	if err != nil {
		return Key{}, err
	}
	key, err := parseKey(string(text))
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func parseKey(text string) (Key, error) {
	var key Key
	if found := knotKey.FindAllStringSubmatch(text, -1); len(found) == 1 {
		key = Key{Algorithm: found[0][1], Name: found[0][2], Secret: Secret(found[0][3])}
	} else {
		found := bindKey.FindStringSubmatch(bindComment.ReplaceAllString(text, "$1"))
		if found == nil {
			return Key{}, errors.New(`it does not hold one key, as "tsig-keygen name" prints it`)
		}
		key.Name = found[1]
		for _, option := range bindOption.FindAllStringSubmatch(found[2], -1) {
			value := option[2] + option[3] // with quotation marks, or without
			if strings.EqualFold(option[1], "algorithm") {
				key.Algorithm = strings.ToLower(strings.TrimSuffix(value, "."))
			} else {
				key.Secret = Secret(value)
			}
		}
	}
	key.Name = strings.ToLower(strings.TrimSuffix(key.Name, "."))
	return key, key.Check()
}
