package sqldb

import (
	"database/sql"
	"database/sql/driver"
	"sync"
	"time"
)

// engine is what differs between the kinds of database.
type engine struct {
	syntax       *syntax
	port, socket string // where a server is unless the URL says

	// connector returns what connects to the host.
	connector func(p *place, h host, timeout time.Duration) driver.Connector
	// strange reports whether a query failed because of the key's bytes.
	strange func(error) bool
	// lost reports whether the error is the driver's own one about a connection that ended
	// while it was in use.
	lost func(error) bool
	// classify returns what the error means, or nil if it is not the driver's.
	classify func(error) *Error
	// check is what a check needs.
	check checks
}

// engines has the kinds of database by the scheme of their URLs. Each driver's file adds
// its own.
var engines = map[string]*engine{}

const (
	idleTime       = time.Minute
	lifeTime       = 30 * time.Minute
	connectTimeout = time.Second
)

// open prepares the pool. No connection is made before one is needed.
func (s *Store) open() {
	s.db = sync.OnceValue(func() *sql.DB {
		db := sql.OpenDB(newFailover(s.place, s.engine, s.timeout))
		db.SetMaxOpenConns(s.connections())
		db.SetMaxIdleConns(s.connections())
		db.SetConnMaxIdleTime(idleTime)
		db.SetConnMaxLifetime(lifeTime)
		return db
	})
}

// connections returns how many connections the pool may have.
func (s *Store) connections() int {
	if s.options.Connections > 0 {
		return s.options.Connections
	}
	return DefaultConnections
}
