//go:build !race

package sqldb

const race = false
