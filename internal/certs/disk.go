package certs

import (
	"context"

	"github.com/caddyserver/certmagic"

	"signpost/internal/regular"
)

// maxStored is far above the size of a certificate with its chain.
const maxStored = 1 << 20

// disk is the storage directory. It reads regular files only, so that whatever else
// stands there stops no handshake.
type disk struct{ *certmagic.FileStorage }

// Load implements certmagic.Storage.
func (d disk) Load(_ context.Context, key string) ([]byte, error) {
	return regular.Read(d.Filename(key), maxStored)
}
