//go:build !linux

package acceptance

import (
	"errors"
	"testing"
	"time"
)

func closed(t *testing.T, _ func(t *testing.T)) { t.Skip(enter()) }

func closedFor(t *testing.T, _ time.Duration, _ func(t *testing.T)) { t.Skip(enter()) }

func enter() error { return errors.New("the closed network needs Linux") }

func alone() error { return nil }
