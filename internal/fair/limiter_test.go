package fair

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// client returns the shares of the n-th client, four places each.
func client(n uint64) []Share { return Caller{Block: n}.Shares(4, 0) }

// fill takes n places or positions in the queue, and returns what ends them.
func fill(t *testing.T, l *Limiter, n int, shares ...Share) (leave context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	for range n {
		go func() {
			if release, err := l.Acquire(ctx, shares...); err == nil {
				<-ctx.Done()
				release()
			}
		}()
	}
	synctest.Wait()
	return cancel
}

func wantTaken(t *testing.T, l *Limiter, taken, waiting int) {
	t.Helper()
	synctest.Wait()
	if got, queued := l.Taken(); got != taken || queued != waiting {
		t.Errorf("%d places are taken and %d callers wait, want %d and %d", got, queued, taken, waiting)
	}
}

// TestShares takes what each share allows, and one place more.
func TestShares(t *testing.T) {
	domain := Share{Key: "example.se", Most: 6}
	for _, test := range []struct {
		name   string
		shares func(i int) []Share // of the i-th caller
		most   int
		want   error
	}{
		{"an address", func(int) []Share { return client(1) }, 4, ErrClient},
		{"a network of many", func(i int) []Share { return Caller{Block: uint64(i + 1), Wide: 9}.Shares(4, 0) }, 8, ErrClient},
		{"a domain", func(i int) []Share { return append(client(uint64(i+1)), domain) }, 6, ErrBusy},
		{"places and queue", func(i int) []Share { return client(uint64(i + 1)) }, 15, ErrBusy},
		{"nobody's", func(int) []Share { return nil }, 15, ErrBusy},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(10, 5, time.Hour)
				leave := context.CancelFunc(func() {})
				for i := range test.most {
					last, one := leave, fill(t, l, 1, test.shares(i)...)
					leave = func() { last(); one() }
				}
				begun := time.Now()
				_, err := l.Acquire(t.Context(), test.shares(test.most)...)
				if err != test.want || time.Since(begun) != 0 {
					t.Errorf("place %d: error %v after %v, want %v at once",
						test.most+1, err, time.Since(begun), test.want)
				}
				if !errors.Is(err, ErrBusy) {
					t.Errorf("%v is not ErrBusy", err)
				}
				leave()
				wantTaken(t, l, 0, 0)
				if len(l.counts) != 0 {
					t.Errorf("the limiter still counts %v after all have left, want nothing", l.counts)
				}
			})
		})
	}
}

// TestQueue checks who gets the next place: a client with none before those who have
// some, and otherwise the one who came first.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(4, 100, time.Hour)
		leaveOne := fill(t, l, 1, client(1)...)
		leave := fill(t, l, 1, client(1)...)
		leaveToo := fill(t, l, 2, client(2)...)
		var order []int
		var ends []func()
		for i, n := range []uint64{1, 2, 2, 3} {
			go func() {
				release, err := l.Acquire(t.Context(), client(n)...)
				if err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
				order, ends = append(order, i), append(ends, release)
			}()
			synctest.Wait()
		}
		leaveOne()
		synctest.Wait()
		for range 3 {
			ends[len(ends)-1]()
			synctest.Wait()
		}
		if want := []int{3, 0, 1, 2}; !slices.Equal(order, want) {
			t.Errorf("the callers in the queue got places in the order %v, want %v", order, want)
		}
		ends[3]()
		leave()
		leaveToo()
		wantTaken(t, l, 0, 0)
	})
}

// TestWait ends the wait for a place by its time limit and by the caller.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1, 2, 3*time.Second)
		leave := fill(t, l, 1)
		begun := time.Now()
		if _, err := l.Acquire(t.Context(), client(1)...); err != ErrBusy || time.Since(begun) != 3*time.Second {
			t.Errorf("the error is %v after %v, want %v after 3s", err, time.Since(begun), ErrBusy)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Acquire(ctx, client(1)...); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v, want that of the context", err)
		}
		wantTaken(t, l, 1, 0)
		leave()
		wantTaken(t, l, 0, 0)
	})
}
