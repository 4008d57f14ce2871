//go:build race

package sqldb

const race = true // the race detector is on, and everything slow
