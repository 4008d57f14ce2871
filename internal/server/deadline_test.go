package server

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

func lazyPipe(t testing.TB) (client, service *lazyConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialed, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return newLazyConn(dialed), newLazyConn(accepted)
}

// TestLazyConn: it is a net.Conn in all that Go's own test of them knows.
func TestLazyConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		client, service := lazyPipe(t)
		return client, service, func() { client.Close(); service.Close() }, nil
	})
}

func TestLazyDeadline(t *testing.T) {
	_, c := lazyPipe(t)
	const short, long = 50 * time.Millisecond, 400 * time.Millisecond
	for _, row := range []struct {
		name  string
		moves []time.Duration // from now on; 0 is no deadline
		ends  time.Duration
	}{
		{"once", []time.Duration{short}, short},
		{"later", []time.Duration{short, long}, long},
		{"earlier", []time.Duration{time.Hour, short}, short},
		{"none and then again", []time.Duration{short, 0, long}, long},
		{"in the past", []time.Duration{time.Hour, -time.Hour}, 0},
		{"in the past and then later", []time.Duration{-time.Hour, 0, long}, long},
	} {
		t.Run(row.name, func(t *testing.T) {
			start := time.Now()
			for _, move := range row.moves {
				var at time.Time
				if move != 0 {
					at = start.Add(move)
				}
				if err := c.SetReadDeadline(at); err != nil {
					t.Fatal(err)
				}
			}
			n, err := c.Read(make([]byte, 1))
			if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("got %d, %v", n, err)
			}
			if took := time.Since(start); took < row.ends {
				t.Errorf("ended after %v, meant was %v", took, row.ends)
			}
		})
	}
}

// TestLazyDeadlineMovedInRead: net/http interrupts a read that is under way, also
// one that an earlier timer has woken up before.
func TestLazyDeadlineMovedInRead(t *testing.T) {
	_, c := lazyPipe(t)
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	c.SetReadDeadline(time.Time{})
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatal("a read without deadline ended: ", err)
	case <-time.After(100 * time.Millisecond):
	}
	c.SetReadDeadline(time.Unix(1, 0))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestLazyWrite: what a timer that is not meant any more interrupts goes on where it was.
func TestLazyWrite(t *testing.T) {
	client, c := lazyPipe(t)
	c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	c.SetWriteDeadline(time.Now().Add(time.Hour))
	sent := make([]byte, 16<<20) // more than the sockets hold
	for i := range sent {
		sent[i] = byte(i * i >> 8)
	}
	ended := make(chan error, 1)
	go func() {
		n, err := c.Write(sent)
		if n != len(sent) && err == nil {
			err = errors.New("short write")
		}
		ended <- errors.Join(err, c.CloseWrite())
	}()
	time.Sleep(60 * time.Millisecond)
	for i := 0; i < len(sent); {
		var got [64 << 10]byte
		n, err := client.Read(got[:])
		if err != nil {
			t.Fatalf("after %d octets: %v", i, err)
		}
		if string(got[:n]) != string(sent[i:i+n]) {
			t.Fatalf("other octets than sent in the %d after %d", n, i)
		}
		i += n
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestLazyDeadlineIsLazy: what net/http does for requests that come in one piece
// sets one timer.
func TestLazyDeadlineIsLazy(t *testing.T) {
	client, c := lazyPipe(t)
	moved := 0
	set := c.read.set
	c.read.set = func(t time.Time) error { moved++; return set(t) }
	for range 100 {
		if _, err := client.Write([]byte("GET")); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(time.Minute))
		if n, err := c.Read(make([]byte, 10)); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		c.SetReadDeadline(time.Time{})
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		c.SetReadDeadline(time.Unix(1, 0))
		if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(n, err)
		}
		c.SetReadDeadline(time.Time{})
	}
	if moved != 1 {
		t.Errorf("the connection's own deadline was set %d times", moved)
	}
}
