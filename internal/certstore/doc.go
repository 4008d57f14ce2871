// Package certstore keeps certificates in a database, PostgreSQL or MySQL, so that several
// machines share them: each serves what another has ordered, and no two order the same.
//
// It is a storage of certmagic. What it promises in addition:
//
//   - A lock is a lease: a row with an owner and a time at which it ends, by the database's
//     clock. It survives lost connections and poolers, which session-bound locks of the
//     database do not, and the lock of a machine that died ends by itself.
//   - What cannot be written while the database is away is kept in memory and written when
//     it is back. A certificate that was issued in such a minute is served at once and is not
//     lost, unless the program ends before the database is back.
//   - After the database was away, no new lock is taken for some seconds, so that what other
//     machines have kept arrives first, and is not ordered again.
//   - Private keys can be sealed with a key of the operator's that is not in the database.
package certstore
