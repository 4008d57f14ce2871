package certstore

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/internal/sources/sqldb"
)

// Options say where the database is. The names of the fields are the keys of the
// configuration.
type Options struct {
	Database     string // URL of PostgreSQL or MySQL; see sqldb.Options
	PasswordFile string // see package secret; empty where the database asks for none
	// SealFile names the file of the keys that seal private keys: the first one seals, each
	// opens. If it is empty, they are stored as they are.
	SealFile string
}

const (
	// readConnections is how many queries about certificates and challenges are asked at a time.
	// Package certs has as many places for them.
	readConnections = 6
	// controlConnections is how many statements of other kinds are run at a time.
	controlConnections = 3
)

// Store is the storage. It is safe for concurrent use. It implements certmagic.Storage,
// certmagic.TryLocker and certmagic.LockLeaseRenewer.
type Store struct {
	reads   database // for queries that strangers cause
	control database // for locks, for what is counted, and for all that is written
	seal    *seal    // nil without a key
	log     *slog.Logger

	times  times
	ctx    context.Context // done when the store is closed
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu         sync.Mutex
	heardAt    time.Time               // when the last statement ended
	state      state                   // of the database
	failure    error                   // why it is in this state, unless it is fine
	triedAt    time.Time               // when writing was last tried to find out whether it works
	fineSince  time.Time               // the database has been fine since then
	proved     bool                    // private keys can be read
	everProved bool                    // proved was true once
	refused    error                   // why the database cannot be used, though it answers
	sealed     bool                    // all private keys in the database are
	sealNext   time.Time               // when they are looked at next
	sealedAnew bool                    // all were sealed with the first key once
	parts      map[string]parts        // of certificates that certmagic is storing, by site
	kept       map[string]*certificate // that could not be written, by site
	leases     map[string]*lease       // that this process has, by name
	gone       map[string]time.Time    // owners whose leases are to be deleted, and since when
}

var _ interface {
	certmagic.Storage
	certmagic.TryLocker
	certmagic.LockLeaseRenewer
} = (*Store)(nil)

// Validate returns what cannot be right about the options. It does not connect. Each error is
// or wraps a *sqldb.OptionError whose option is a key of the configuration.
func Validate(o Options) []error {
	var problems []error
	// A file that is not there yet, or that this user may not read, is told otherwise.
	if _, err := readSeal(o.SealFile); err != nil && !errors.Is(err, fs.ErrNotExist) &&
		!errors.Is(err, fs.ErrPermission) {
		problems = append(problems, sealError(err))
	}
	tables, err := o.open(1)
	if err != nil {
		return append(problems, err)
	}
	tables.Close()
	return problems
}

func sealError(err error) error { return &sqldb.OptionError{Option: "sealFile", Text: err.Error()} }

func (o Options) open(connections int) (*sqldb.Tables, error) {
	return sqldb.OpenTables(sqldb.Options{Database: o.Database, PasswordFile: o.PasswordFile, Connections: connections})
}

// New returns the storage that the options describe. It does not connect: what a database that
// is away cannot give is missing until it is back. The error is one of Validate's.
func New(o Options, log *slog.Logger) (*Store, error) {
	key, err := readSeal(o.SealFile)
	if err != nil {
		return nil, sealError(err)
	}
	reads, err := o.open(readConnections)
	if err != nil {
		return nil, err
	}
	control, err := o.open(controlConnections)
	if err != nil {
		reads.Close()
		return nil, err
	}
	return start(reads, control, key, log, defaultTimes), nil
}

// start returns a storage that keeps its leases and what could not be written.
func start(reads, control database, key *seal, log *slog.Logger, t times) *Store {
	s := newStore(reads, control, key, log, t)
	s.work.Go(s.keepLeases)
	s.work.Go(s.keep)
	return s
}

func newStore(reads, control database, key *seal, log *slog.Logger, t times) *Store {
	s := &Store{
		reads: reads, control: control, seal: key, log: log, times: t, sealed: key == nil,
		parts: map[string]parts{}, kept: map[string]*certificate{},
		leases: map[string]*lease{}, gone: map[string]time.Time{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// closeTime is how long the last writing may take.
const closeTime = 2 * time.Second

// Close writes what waits, gives up the leases and ends the connections. What cannot be written
// is lost.
func (s *Store) Close() error {
	s.cancel()
	s.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	s.flush(ctx)
	s.mu.Lock()
	lost := len(s.kept)
	s.mu.Unlock()
	if lost > 0 {
		s.log.Error("certificates are lost, because they could not be stored", "count", lost)
	}
	s.release(ctx)
	return errors.Join(s.reads.Close(), s.control.Close())
}

// keep writes what waits, seals private keys and finds out whether the database is there and takes
// writing, until the store is closed.
func (s *Store) keep() {
	for s.ctx.Err() == nil {
		if s.isAny(fine, away) {
			s.flush(s.ctx)
		}
		s.mu.Lock()
		unasked := s.state == away || !s.proved || time.Since(s.heardAt) > s.times.listen
		s.mu.Unlock()
		if unasked {
			s.Check(s.ctx)
		}
		s.tryWriting(s.ctx)
		s.sealAll(s.ctx)
		select {
		case <-s.ctx.Done():
		case <-time.After(s.times.keepEvery):
		}
	}
}
