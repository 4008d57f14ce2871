package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// lazyListener makes connections whose deadlines cost next to nothing to move.
//
// net/http sets the deadlines of a connection six times a request, each a timer
// of the runtime's that is taken out of a heap and put back, and next to none of
// them ever passes. A lazyConn notes them. It sets a timer when somebody is about
// to wait, or waits, and the one that is set would come too late; one that comes
// too early is found not to be meant when it fires.
type lazyListener struct{ net.Listener }

// Accept implements net.Listener.
func (l lazyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newLazyConn(conn), nil
}

func newLazyConn(conn net.Conn) *lazyConn {
	return &lazyConn{Conn: conn, read: deadline{set: conn.SetReadDeadline}, write: deadline{set: conn.SetWriteDeadline}}
}

type lazyConn struct {
	net.Conn
	read, write deadline
}

// deadline is the time limit of one direction.
type deadline struct {
	set func(time.Time) error // on the connection

	mu      sync.Mutex
	meant   time.Time // zero: none
	timer   time.Time // what the connection has, zero: none
	waiting int       // calls that the timer would end
}

// move changes the deadline. A time that has passed interrupts who is waiting.
func (d *deadline) move(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.meant = t
	if d.waiting == 0 {
		return nil
	}
	return d.heed()
}

// begin is called before a wait, which end must follow if there is no error.
func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.meant.Before(started) && !d.meant.IsZero() {
		return os.ErrDeadlineExceeded // net/http interrupts a Read by a time long ago
	}
	if err := d.heed(); err != nil {
		return err
	}
	d.waiting++
	return nil
}

func (d *deadline) end() {
	d.mu.Lock()
	d.waiting--
	d.mu.Unlock()
}

// early reports whether an error says no more than that the timer was set for
// earlier than meant, and sets it right.
func (d *deadline) early(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.passed() && d.reset() == nil
}

// started is when the program started. A deadline earlier than that has certainly
// passed, and no look at the clock is needed, which costs as much as one into the
// directory. One that has passed since is left to the connection, which refuses at
// once.
var started = time.Now()

func (d *deadline) passed() bool { return !d.meant.IsZero() && !time.Now().Before(d.meant) }

// heed sees to it that the timer does not come too late.
func (d *deadline) heed() error {
	if d.meant.IsZero() || !d.timer.IsZero() && !d.meant.Before(d.timer) {
		return nil
	}
	return d.reset()
}

func (d *deadline) reset() error {
	d.timer = d.meant
	return d.set(d.meant)
}

// Read implements net.Conn.
func (c *lazyConn) Read(b []byte) (int, error) {
	if err := c.read.begin(); err != nil {
		return 0, err
	}
	defer c.read.end()
	for {
		n, err := c.Conn.Read(b)
		if n > 0 || err == nil || !c.read.early(err) {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *lazyConn) Write(b []byte) (int, error) {
	if err := c.write.begin(); err != nil {
		return 0, err
	}
	defer c.write.end()
	written := 0
	for {
		n, err := c.Conn.Write(b[written:])
		written += n
		if err == nil || !c.write.early(err) {
			return written, err
		}
	}
}

// SetDeadline implements net.Conn.
func (c *lazyConn) SetDeadline(t time.Time) error {
	return errors.Join(c.read.move(t), c.write.move(t))
}

// SetReadDeadline implements net.Conn.
func (c *lazyConn) SetReadDeadline(t time.Time) error { return c.read.move(t) }

// SetWriteDeadline implements net.Conn.
func (c *lazyConn) SetWriteDeadline(t time.Time) error { return c.write.move(t) }

// CloseWrite ends the stream of a connection that can do that. net/http does so
// before it closes, so that an answer to a request that was not read to its end
// gets through.
func (c *lazyConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
