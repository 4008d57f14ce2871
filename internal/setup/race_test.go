//go:build race

package setup

const race = true // the race detector is on, and everything slow
