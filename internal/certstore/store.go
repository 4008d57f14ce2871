package certstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"
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
	// SealFile names the file of the key that seals private keys. If it is empty, they are
	// stored as they are.
	SealFile string
}

// Store is the storage. It is safe for concurrent use. It implements certmagic.Storage,
// certmagic.TryLocker and certmagic.LockLeaseRenewer.
type Store struct {
	tables *sqldb.Tables
	seal   *seal // nil without a key
	log    *slog.Logger

	times  times
	ctx    context.Context // done when the store is closed
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	heardAt time.Time         // when the last statement ended
	away    bool              // it did not reach the database
	back    time.Time         // when the database was last reached again
	proved  bool              // Check succeeded once
	pending map[string]change // what could not be written, by key
	leases  map[string]*lease // that this process has, by name
}

// Validate returns what cannot be right about the options. It does not connect. Each error is
// or wraps a *sqldb.OptionError whose option is a key of the configuration.
func Validate(o Options) []error {
	var problems []error
	// A file that is not there yet, or that this user may not read, is told otherwise.
	if _, err := readSeal(o.SealFile); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		problems = append(problems, sealError(err))
	}
	tables, err := o.open()
	if err != nil {
		return append(problems, err)
	}
	tables.Close()
	return problems
}

func sealError(err error) error { return &sqldb.OptionError{Option: "sealFile", Text: err.Error()} }

func (o Options) open() (*sqldb.Tables, error) {
	return sqldb.OpenTables(sqldb.Options{Database: o.Database, PasswordFile: o.PasswordFile})
}

// New returns the storage that the options describe. It does not connect: what a database that
// is away cannot give is missing until it is back. The error is one of Validate's.
func New(o Options, log *slog.Logger) (*Store, error) {
	key, err := readSeal(o.SealFile)
	if err != nil {
		return nil, sealError(err)
	}
	tables, err := o.open()
	if err != nil {
		return nil, err
	}
	return newStore(tables, key, log, defaultTimes), nil
}

func newStore(tables *sqldb.Tables, key *seal, log *slog.Logger, t times) *Store {
	s := &Store{tables: tables, seal: key, log: log, times: t,
		pending: map[string]change{}, leases: map[string]*lease{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.keep)
	return s
}

// Close gives up the leases and ends the connections. What could not be written is lost.
func (s *Store) Close() error {
	s.cancel()
	s.work.Wait()
	s.release()
	return s.tables.Close()
}

// Away reports whether nothing can be known of the storage now: the database is away, or it was
// not reached yet, or its private keys cannot be read with the key of sealFile.
func (s *Store) Away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away || !s.proved
}

// Check reports whether the database can be used, and creates the tables if they are missing.
// The first time, it proves that private keys can be read: the value under proofKey is sealed
// as they are.
func (s *Store) Check(ctx context.Context) error {
	s.mu.Lock()
	proved := s.proved
	s.mu.Unlock()
	_, err := s.Load(ctx, proofKey)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
		if s.seal != nil {
			err = s.Store(ctx, proofKey, []byte("signpost\n"))
		}
	}
	if err == nil && !proved {
		s.mu.Lock()
		s.proved = !s.away
		s.mu.Unlock()
	}
	return err
}

const proofKey = "signpost/proof.key"

// tableStatements create the tables, by the kind of database. Names are compared byte by
// byte, so that those below a prefix are a range.
var tableStatements = map[string][]string{
	"postgres": {
		`CREATE TABLE IF NOT EXISTS signpost_certificates (name VARCHAR(700) COLLATE "C" PRIMARY KEY,
			value TEXT NOT NULL, modified TIMESTAMPTZ NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS signpost_leases (name VARCHAR(700) COLLATE "C" PRIMARY KEY,
			owner VARCHAR(64) NOT NULL, expires TIMESTAMPTZ NOT NULL)`,
	},
	"mysql": {
		`CREATE TABLE IF NOT EXISTS signpost_certificates (name VARCHAR(700) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
			value MEDIUMTEXT CHARACTER SET ascii NOT NULL, modified DATETIME(6) NOT NULL) ENGINE=InnoDB`,
		`CREATE TABLE IF NOT EXISTS signpost_leases (name VARCHAR(700) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
			owner VARCHAR(64) CHARACTER SET ascii NOT NULL, expires DATETIME(6) NOT NULL) ENGINE=InnoDB`,
	},
}

// now is the database's clock, by the kind of database. It is read when the statement runs,
// also if that had to wait for another one.
var now = map[string]string{"postgres": "clock_timestamp()", "mysql": "UTC_TIMESTAMP(6)"}

// in returns the time a number of seconds from now, as an expression with one parameter.
func (s *Store) in() string {
	if s.tables.Scheme() == "postgres" {
		return "clock_timestamp() + CAST(? AS double precision) * INTERVAL '1 second'"
	}
	return "TIMESTAMPADD(MICROSECOND, ? * 1000000, UTC_TIMESTAMP(6))"
}

func (s *Store) now() string { return now[s.tables.Scheme()] }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, statement string, args ...string) (changed int64, err error) {
	err = s.try(ctx, func() error {
		changed, err = s.tables.Exec(ctx, statement, args...)
		return err
	})
	return changed, err
}

// rows runs a query and returns its rows.
func (s *Store) rows(ctx context.Context, query string, args ...string) (rows [][]string, err error) {
	err = s.try(ctx, func() error {
		rows, err = s.tables.Rows(ctx, query, args...)
		return err
	})
	return rows, err
}

// try runs a statement and creates the tables first if they are missing.
func (s *Store) try(ctx context.Context, run func() error) error {
	err := run()
	// Of several machines that create the tables at the same time, PostgreSQL refuses all
	// but one, some of them before the tables are there.
	var refused error
	for tries := 0; sqldb.IsMissing(err) && tries < 10; tries++ {
		if refused = s.create(ctx); refused != nil {
			time.Sleep(20 * time.Millisecond)
		}
		err = run()
	}
	if sqldb.IsMissing(err) && refused != nil {
		err = fmt.Errorf("its tables cannot be created: %w", refused)
	}
	return s.heard(err)
}

func (s *Store) create(ctx context.Context) error {
	for _, statement := range tableStatements[s.tables.Scheme()] {
		if _, err := s.tables.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// heard notes whether the database was reached, and returns err.
func (s *Store) heard(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heardAt = time.Now()
	switch {
	case sqldb.IsAway(err):
		if !s.away {
			s.log.Warn("the store of certificates is away", "reason", err)
		}
		s.away = true
	case s.away && !errors.Is(err, context.Canceled):
		s.away, s.back = false, time.Now()
		s.log.Info("the store of certificates is back")
	}
	return err
}

// Store implements certmagic.Storage.
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	text, err := s.encode(key, value)
	if err != nil {
		return err
	}
	return s.change(ctx, key, change{text: text})
}

// Load implements certmagic.Storage. The error is fs.ErrNotExist if there is no such key.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	if c, ok := s.kept(key); ok {
		if c.delete {
			return nil, fs.ErrNotExist
		}
		return s.decode(key, c.text)
	}
	rows, err := s.rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", key)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fs.ErrNotExist
	}
	return s.decode(key, rows[0][0])
}

// Delete implements certmagic.Storage.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.change(ctx, key, change{delete: true})
}

// Exists implements certmagic.Storage.
func (s *Store) Exists(ctx context.Context, key string) bool {
	if c, ok := s.kept(key); ok {
		return !c.delete
	}
	from, to := below(key)
	rows, err := s.rows(ctx, "SELECT name FROM signpost_certificates WHERE name = ? OR name > ? AND name < ? LIMIT 1",
		key, from, to)
	return err == nil && len(rows) > 0
}

// List implements certmagic.Storage.
func (s *Store) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	from, to := below(prefix)
	rows, err := s.rows(ctx, "SELECT name FROM signpost_certificates WHERE name > ? AND name < ? ORDER BY name", from, to)
	if err != nil {
		return nil, err
	}
	var keys []string
	last := ""
	for _, row := range rows {
		key := row[0]
		if !recursive {
			rest, _, _ := strings.Cut(strings.TrimPrefix(key, from), "/")
			key = path.Join(prefix, rest)
		}
		if key != last {
			keys = append(keys, key)
		}
		last = key
	}
	if len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	return keys, nil
}

// Stat implements certmagic.Storage.
func (s *Store) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	epoch := "CAST(EXTRACT(EPOCH FROM modified) AS VARCHAR(40))"
	if s.tables.Scheme() == "mysql" {
		epoch = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', modified) / 1000000"
	}
	value, err := s.Load(ctx, key)
	if err == nil {
		info := certmagic.KeyInfo{Key: key, Modified: time.Now(), Size: int64(len(value)), IsTerminal: true}
		rows, err := s.rows(ctx, "SELECT "+epoch+" FROM signpost_certificates WHERE name = ?", key)
		if err != nil || len(rows) == 0 {
			return info, err
		}
		at, err := strconv.ParseFloat(rows[0][0], 64)
		info.Modified = time.UnixMicro(int64(at * 1e6))
		return info, err
	}
	if errors.Is(err, fs.ErrNotExist) && s.Exists(ctx, key) {
		return certmagic.KeyInfo{Key: key}, nil
	}
	return certmagic.KeyInfo{}, err
}

// below returns the bounds of the names below a prefix: behind its slash.
func below(prefix string) (from, to string) {
	if prefix = strings.Trim(prefix, "/"); prefix == "" {
		return "", "\x7f" // above all characters of names
	}
	return prefix + "/", prefix + "0" // the character behind the slash
}

// Forms of a value in the database.
const (
	openForm   = "0:" // base64 of the value
	sealedForm = "1:" // base64 of what seal made of it
)

func (s *Store) encode(key string, value []byte) (string, error) {
	if s.seal == nil || !isSecret(key) {
		return openForm + base64.StdEncoding.EncodeToString(value), nil
	}
	return sealedForm + base64.StdEncoding.EncodeToString(s.seal.close(key, value)), nil
}

func (s *Store) decode(key, text string) ([]byte, error) {
	form, coded := text[:min(len(text), len(openForm))], text[min(len(text), len(openForm)):]
	value, err := base64.StdEncoding.DecodeString(coded)
	switch {
	case err != nil || form != openForm && form != sealedForm:
		return nil, fmt.Errorf("%s is damaged in the database", key)
	case form == openForm:
		return value, nil
	case s.seal == nil:
		return nil, fmt.Errorf("%s is sealed in the database, and no sealFile is configured", key)
	}
	return s.seal.open(key, value)
}
