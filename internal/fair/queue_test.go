package fair

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestCrowd sends more callers than the shares have places. All are served in their
// turn, and meanwhile keep no place from others.
func TestCrowd(t *testing.T) {
	domain := Share{Key: "example.se", Most: 3, Wait: 100}
	for name, shares := range map[string]func(i int) []Share{
		"of one address":   func(int) []Share { return Caller{Block: 1}.Shares(3, 57) },
		"for one domain":   func(i int) []Share { return append(Caller{Block: uint64(i + 1)}.Shares(3, 57), domain) },
		"without a client": func(int) []Share { return []Share{domain} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(10, 100, time.Minute)
				ask := func(shares []Share) error {
					release, err := l.Acquire(t.Context(), shares...)
					if err == nil {
						time.Sleep(time.Second)
						release()
					}
					return err
				}
				var all sync.WaitGroup
				begun := time.Now()
				for i := range 60 {
					all.Go(func() {
						if err := ask(shares(i)); err != nil {
							t.Errorf("caller %d: %v, want a place", i, err)
						}
					})
				}
				wantTaken(t, l, 3, 57)
				if err := ask(client(99)); err != nil || time.Since(begun) != time.Second {
					t.Errorf("another caller: %v after %v, want a place at once", err, time.Since(begun))
				}
				all.Wait()
				if took := time.Since(begun); took != 20*time.Second {
					t.Errorf("60 callers took %v, want 20s with three at once", took)
				}
			})
		})
	}
}

// TestRoomInQueue fills the queue for one client. Others who come get their turn, and
// the one is refused that holds most.
func TestRoomInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(2, 10, time.Minute)
		shares := func(n uint64) []Share { return Caller{Block: n}.Shares(1, 20) }
		leave := fill(t, l, 11, shares(1)...)
		wantTaken(t, l, 1, 10)
		leaveToo := fill(t, l, 1, shares(2)...)
		wantTaken(t, l, 2, 10)
		results := make(chan error, 10)
		for n := range uint64(9) {
			go func() {
				release, err := l.Acquire(t.Context(), shares(3+n)...)
				if err == nil {
					release()
				}
				results <- err
			}()
			wantTaken(t, l, 2, 10)
		}
		if _, err := l.Acquire(t.Context(), shares(1)...); err != ErrBusy {
			t.Errorf("the client that filled the queue: %v, want %v", err, ErrBusy)
		}
		leaveToo()
		for range 9 {
			if err := <-results; err != nil {
				t.Errorf("a client without places: %v, want a place", err)
			}
		}
		leave()
		wantTaken(t, l, 0, 0)
		if len(l.counts) != 0 {
			t.Errorf("the limiter still counts %v after all have left, want nothing", l.counts)
		}
	})
}

// TestJoinRenewsPatience has a client join a question just before the patience of the
// first one ends.
func TestJoinRenewsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(1, 10, 4*time.Second)}
		leave := fill(t, g.Places, 1)
		ask := func() error {
			_, err := g.Do(t.Context(), "question", client(1), func() (int, error) { return 1, nil })
			return err
		}
		results := make(chan error, 2)
		go func() { results <- ask() }()
		time.Sleep(4*time.Second - time.Millisecond)
		go func() { results <- ask() }()
		time.Sleep(time.Second)
		leave()
		for range 2 {
			if err := <-results; err != nil {
				t.Errorf("a caller got the error %v a second after the last one came, want the answer", err)
			}
		}
		wantTaken(t, g.Places, 0, 0)
		leave = fill(t, g.Places, 1)
		begun := time.Now()
		if err := ask(); !errors.Is(err, ErrBusy) || time.Since(begun) != 4*time.Second {
			t.Errorf("a caller alone got the error %v after %v, want %v after 4s", err, time.Since(begun), ErrBusy)
		}
		leave()
	})
}

// TestJoinHelps has a client without places join a question that waits because the
// other client has used its share. It is asked at once.
func TestJoinHelps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(10, 10, time.Minute)}
		leave := fill(t, g.Places, 4, client(1)...)
		ask := func(n uint64) {
			begun := time.Now()
			_, err := g.Do(t.Context(), "question", Caller{Block: n}.Shares(4, 4),
				func() (int, error) { return 1, nil })
			if err != nil || time.Since(begun) > 2*time.Second {
				t.Errorf("client %d: %v after %v, want the answer when client 2 has joined", n, err, time.Since(begun))
			}
		}
		var all sync.WaitGroup
		all.Go(func() { ask(1) })
		time.Sleep(time.Second)
		all.Go(func() { ask(2) })
		all.Wait()
		leave()
		wantTaken(t, g.Places, 0, 0)
	})
}

// TestGiveUp asks questions that take long. They give their places to the others, as
// long as not too many have done so.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(2, 10, 4*time.Second)}
		g.Places.GiveUp(time.Second, 3)
		ask := func(key string, takes time.Duration) error {
			_, err := g.Do(t.Context(), key, nil, func() (int, error) { time.Sleep(takes); return 1, nil })
			return err
		}
		var all sync.WaitGroup
		slow := func(n int) {
			for i := range n {
				all.Go(func() {
					if err := ask(fmt.Sprint("slow", n, i), 20*time.Second); err != nil {
						t.Errorf("a slow question: %v, want the answer", err)
					}
				})
			}
			synctest.Wait()
		}
		slow(2)
		begun := time.Now()
		if err := ask("quick", time.Millisecond); err != nil || time.Since(begun) > 1100*time.Millisecond {
			t.Errorf("a question behind slow ones: %v after %v, want the answer after a second", err, time.Since(begun))
		}
		slow(3) // only one may give its place up
		time.Sleep(2 * time.Second)
		wantTaken(t, g.Places, 2, 0)
		if err := ask("late", time.Millisecond); err != ErrBusy {
			t.Errorf("a question behind too many slow ones: %v, want %v", err, ErrBusy)
		}
		all.Wait()
		wantTaken(t, g.Places, 0, 0)
		if g.Places.slow != 0 || len(g.Places.counts) != 0 {
			t.Errorf("%d slow questions and %v are counted in the end, want none", g.Places.slow, g.Places.counts)
		}
	})
}
