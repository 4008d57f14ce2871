//go:build !race

package setup

const race = false
