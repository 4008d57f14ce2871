// Package certstore keeps certificates in a database, PostgreSQL or MySQL, so that several
// machines share them: each serves what another has ordered, and no two order the same.
//
// It is a storage of certmagic. What it promises in addition:
//
//   - A lock is a lease: a row with an owner and a time at which it ends, by the database's
//     clock. It survives lost connections and poolers, which session-bound locks of the
//     database do not, and the lock of a machine that died ends by itself.
//   - A certificate is written as a whole or not at all: its key, its chain and what belongs to
//     them are one statement. It never replaces one that was stored after its order began.
//   - A certificate that cannot be written, because the database is away or full, is kept in memory,
//     served, and written later. Its machine has the lock of its name until then, so nobody
//     orders it again. It is lost only if the program ends before the database is back.
//     Nothing else is kept: every other change that cannot be written now fails.
//   - What several machines count together changes by comparison (Swap), so that no change of
//     another machine is lost.
//   - Private keys can be sealed with a key of the operator's that is not in the database, and
//     that can be replaced while machines are running.
package certstore
