package acceptance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// marionette is a client of Gecko's remote control. A message is its length in bytes, a
// colon, and JSON: [0, id, command, parameters] as a request and [1, id, error, result]
// as its answer.
type marionette struct {
	conn net.Conn
	in   *bufio.Reader
	last int
}

// connectMarionette connects as soon as the program listens, which takes seconds.
func connectMarionette(address string, timeout time.Duration, ended <-chan struct{}) (*marionette, error) {
	deadline := time.Now().Add(timeout)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			m := &marionette{conn: conn, in: bufio.NewReader(conn)}
			conn.SetDeadline(deadline)
			if _, err = m.read(); err == nil { // the greeting
				return m, m.open()
			}
			conn.Close()
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-ended:
			return nil, errors.New("the program ended before it listened")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (m *marionette) open() error {
	if err := m.call("WebDriver:NewSession", map[string]any{}, nil); err != nil {
		return err
	}
	return m.call("Marionette:SetContext", map[string]any{"value": "chrome"}, nil)
}

func (m *marionette) read() ([]byte, error) {
	length, err := m.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(length[:len(length)-1])
	if err != nil || n < 0 || n > 64<<20 {
		return nil, fmt.Errorf("%q is not a message length", length)
	}
	message := make([]byte, n)
	_, err = io.ReadFull(m.in, message)
	return message, err
}

// call sends a command and reads its result.
func (m *marionette) call(command string, parameters, result any) error {
	m.last++
	message, err := json.Marshal([]any{0, m.last, command, parameters})
	if err != nil {
		return err
	}
	m.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(message), message); err != nil {
		return err
	}
	answer, err := m.read()
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	var parts [4]json.RawMessage
	if err := json.Unmarshal(answer, &parts); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if string(parts[2]) != "null" {
		var fault struct{ Error, Message string }
		json.Unmarshal(parts[2], &fault)
		return fmt.Errorf("%s: %s: %s", command, fault.Error, fault.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(parts[3], result)
}

// run executes the body of a function in the window's context. The result is what it
// returns, or what the promise that it returns resolves to.
func (m *marionette) run(script string, result any, args ...any) error {
	if args == nil {
		args = []any{}
	}
	answer := struct {
		Value any `json:"value"`
	}{result}
	return m.call("WebDriver:ExecuteScript", map[string]any{
		"script": script, "args": args, "sandbox": "system", "newSandbox": false, "scriptTimeout": 25000,
	}, &answer)
}

// element is a reference to an element of the window.
type element map[string]string

func (e element) id() string {
	for _, id := range e {
		return id
	}
	return ""
}

// screenshot returns a picture of the window as PNG in base64.
func (m *marionette) screenshot() (string, error) {
	var answer struct{ Value string }
	err := m.call("WebDriver:TakeScreenshot", map[string]any{"full": false, "hash": false}, &answer)
	return answer.Value, err
}
