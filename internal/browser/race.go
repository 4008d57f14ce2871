//go:build race

package browser

const race = true // the race detector is on, and everything slow
