package conn

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAllowance checks that requests keep a connection going, and that without them it
// gets a little for some seconds and then nothing.
func TestAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAllowance()
		for range 1000 {
			if !a.wait() {
				t.Fatal("a connection of ordinary requests was ended")
			}
			a.spend(perRequest)
			a.earn(perRequest)
		}
		for range 1000 {
			a.earn(perRequest)
		}
		if got := a.left.Load(); got != mostAllowance {
			t.Errorf("1,000 requests save %d bytes, want %d", got, mostAllowance)
		}
		a.spend(mostAllowance)
		begun, bytes := time.Now(), 0
		for a.wait() {
			a.spend(1 << 10)
			bytes += 1 << 10
		}
		if took := time.Since(begun); bytes < graces*grace || bytes > (graces+2)*grace ||
			took != (graces+1)*graceAfter {
			t.Errorf("a flood got %d bytes in %v, want about %d in %v",
				bytes, took, graces*grace, (graces+1)*graceAfter)
		}
	})
}

// TestAllowanceEarnedLate checks that a connection whose requests begin late goes on as
// soon as they do.
func TestAllowanceEarnedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAllowance()
		a.spend(firstAllowance + perRequest)
		go func() {
			time.Sleep(graceAfter / 2)
			a.earn(perRequest)
		}()
		begun := time.Now()
		if !a.wait() || time.Since(begun) != graceAfter/2 {
			t.Errorf("the connection went on after %v, want %v", time.Since(begun), graceAfter/2)
		}
	})
}
