package certs

import (
	"os"
	"testing"

	"signpost/internal/sources/rig"
)

func TestMain(m *testing.M) {
	if kind := os.Getenv(benchServer); kind != "" {
		serveBench(kind)
	}
	// To find careless clients, Pebble waits, refuses requests and reuses
	// authorizations at random. These tests count its orders.
	for name, value := range map[string]string{
		"PEBBLE_VA_NOSLEEP":      "1",
		"PEBBLE_WFE_NONCEREJECT": "0",
		"PEBBLE_AUTHZREUSE":      "0",
	} {
		os.Setenv(name, value)
	}
	rig.Main(m)
}
