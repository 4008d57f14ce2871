package certs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/internal/regular"
)

// maxStored is far above the size of a certificate with its chain, and of the ledger of orders with
// as many of them as an operator can allow.
const maxStored = 16 << 20

// disk is the storage directory, which may be on a disk that several machines share. It reads
// regular files only, so that whatever else stands there stops no handshake.
type disk struct{ *certmagic.FileStorage }

var _ Shared = disk{}

// Load implements certmagic.Storage.
func (d disk) Load(_ context.Context, key string) ([]byte, error) {
	return regular.Read(d.Filename(key), maxStored)
}

// Away implements Shared.
func (d disk) Away() bool { return false }

// DeleteOlder implements Shared.
func (d disk) DeleteOlder(_ context.Context, prefix string, age time.Duration) error {
	directory := d.Filename(prefix)
	entries, err := os.ReadDir(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) >= age {
			os.Remove(filepath.Join(directory, entry.Name()))
		}
	}
	return err
}

// OnLoss implements Shared. certmagic keeps its lock files for as long as its process lives.
func (d disk) OnLoss(ctx context.Context, _ func()) context.Context { return ctx }

// Swap implements Shared.
func (d disk) Swap(ctx context.Context, key string, old, value []byte) (bool, error) {
	unlock, err := d.lockFile(ctx, d.Filename(key)+".lock")
	if err != nil {
		return false, err
	}
	defer unlock()
	now, err := d.Load(ctx, key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if (err == nil) != (old != nil) || !bytes.Equal(now, old) {
		return false, nil
	}
	return true, d.Store(ctx, key, value)
}

// lockFile locks a file until unlock is called, against this process and others. The kernel ends
// the lock of a process that dies.
func (d disk) lockFile(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		locked, err := tryLock(file)
		if err != nil {
			file.Close()
			return nil, err
		}
		if locked {
			return func() { file.Close() }, nil
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
