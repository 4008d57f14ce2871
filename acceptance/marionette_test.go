package acceptance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// marionette is Gecko's remote control. A message is its length in octets, a
// colon, and JSON: [0, id, command, parameters] there and [1, id, error,
// result] back.
type marionette struct {
	conn net.Conn
	in   *bufio.Reader
	last int
}

// connectMarionette waits for the program to listen, which takes seconds.
func connectMarionette(address string, timeout time.Duration, ended <-chan struct{}) (*marionette, error) {
	deadline := time.Now().Add(timeout)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			m := &marionette{conn: conn, in: bufio.NewReader(conn)}
			conn.SetDeadline(deadline)
			if _, err = m.read(); err == nil { // who it is
				return m, m.open()
			}
			conn.Close()
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("it ended before it listened")
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
		return nil, fmt.Errorf("%q is not the length of a message", length)
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

// run has the body of a function executed in the window's own context; what it
// returns, or what the promise that it returns comes to, is the result.
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

// element is a reference that the remote side hands out.
type element map[string]string

func (e element) id() string {
	for _, id := range e {
		return id
	}
	return ""
}

// screenshot is the window as PNG in base64.
func (m *marionette) screenshot() (string, error) {
	var answer struct{ Value string }
	err := m.call("WebDriver:TakeScreenshot", map[string]any{"full": false, "hash": false}, &answer)
	return answer.Value, err
}
