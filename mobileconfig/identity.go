package mobileconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// kind is what a payload sets up. The values are part of identifiers and UUIDs, so
// they never change.
type kind string

const (
	kindProfile    kind = "profile" // the profile around the payloads
	kindMail       kind = "mail"
	kindActiveSync kind = "eas"
	kindEWS        kind = "ews"
	kindCalDAV     kind = "caldav"
	kindCardDAV    kind = "carddav"
)

// identity gives a profile and its payloads the names by which a device recognises
// them. A profile replaces the installed one with the same PayloadIdentifier.
// Payloads in it with the same PayloadIdentifier and PayloadUUID are updated in
// place; others are removed and added again, with all their mail. So both depend
// only on the service, the mailbox and the kind.
//
// If the identifier left out the mailbox, the profile for a person's second mailbox
// would replace the first (mailcow-dockerized#1053). It holds a hash of the mailbox
// because devices write identifiers into their logs.
type identity struct {
	identifier string    // of the profile: reverse name of the service, ".mail." and the hash
	namespace  uuid.UUID // of the service
	key        string    // of the mailbox
}

// newIdentity returns the identity of a mailbox at the service. The key is that of
// account.Address, the same for all spellings of the address.
func newIdentity(service, key string) identity {
	service = strings.ToLower(strings.TrimSuffix(service, "."))
	labels := strings.Split(service, ".")
	slices.Reverse(labels)
	hash := sha256.Sum256([]byte(key))
	return identity{
		identifier: strings.Join(labels, ".") + ".mail." + hex.EncodeToString(hash[:16]),
		namespace:  uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://"+service+"/")),
		key:        key,
	}
}

// uuid returns a UUID that differs for every kind: macOS refuses a profile that
// uses one twice.
func (i identity) uuid(k kind) string {
	return uuid.NewSHA1(i.namespace, []byte(i.key+"|"+string(k))).String()
}
