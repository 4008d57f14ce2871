package mobileconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// kind is what a payload sets up. It is part of identifiers and UUIDs, so the
// values never change.
type kind string

const (
	whole    kind = "profile" // the profile around the payloads
	mail     kind = "mail"
	exchange kind = "eas"
	exchWeb  kind = "ews"
	calendar kind = "caldav"
	contacts kind = "carddav"
)

var kinds = []kind{whole, mail, exchange, exchWeb, calendar, contacts}

// identity gives a profile and its payloads the names by which a device knows
// them again. A profile replaces the installed one with the same
// PayloadIdentifier, and payloads in it that agree in PayloadIdentifier and
// PayloadUUID are updated in place instead of being removed and added, mail and
// all. So both depend on nothing but service, mailbox and kind.
//
// Where the identifier leaves the mailbox out, the profile for a person's
// second mailbox replaces the first (mailcow-dockerized#1053). It holds a hash
// because devices write identifiers into their logs.
type identity struct {
	prefix string    // reverse name of the service and ".mail."
	space  uuid.UUID // of the service
	key    string    // of the mailbox
	hash   string    // of the key
}

// service is the identity of a service, still without a mailbox.
func service(host string) identity {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	return identity{
		prefix: strings.Join(labels, ".") + ".mail.",
		space:  uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://"+host+"/")),
	}
}

// of is the identity of a mailbox at the service. The key is that of
// account.Address: the same for every way to write the address.
func (i identity) of(key string) identity {
	sum := sha256.Sum256([]byte(key))
	i.key, i.hash = key, hex.EncodeToString(sum[:16])
	return i
}

func (i identity) identifier(k kind) string {
	if k == whole {
		return i.prefix + i.hash
	}
	return i.prefix + i.hash + "." + string(k)
}

// uuid differs for every kind: macOS refuses a profile that uses one twice.
func (i identity) uuid(k kind) string {
	return uuid.NewSHA1(i.space, []byte(i.key+"|"+string(k))).String()
}
