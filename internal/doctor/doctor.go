// Package doctor asks the network what mail clients would ask for an address, forecasts
// what each of them ends up with, and says what is wrong and what cures it.
package doctor
