//go:build race

package service_test

const race = true // the race detector is on, and everything slow
