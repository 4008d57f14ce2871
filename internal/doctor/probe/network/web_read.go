package network

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"signpost/internal/doctor/probe"
)

// keptHeader are the lines of a header that are kept.
var keptHeader = []string{"Content-Type", "Location", "Www-Authenticate", "Strict-Transport-Security", "Server",
	"Retry-After", "Cf-Mitigated", "X-Soap-Enabled"}

// limited reads from a connection no more than is left, and says when the first byte comes.
type limited struct {
	conn  net.Conn
	left  int
	first func()
	ended bool // the server ended the connection
}

var (
	errTooLong  = errors.New("the header is longer than 16 KiB")
	errInterim  = errors.New("one answer 1xx after the other")
	errNotAsked = errors.New("the body is encoded in a way that was not asked for")
)

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, errTooLong
	}
	n, err := l.conn.Read(p[:min(len(p), l.left)])
	l.left -= n
	l.ended = err != nil && !isTimeout(err)
	if n > 0 && l.first != nil {
		l.first()
		l.first = nil
	}
	return n, err
}

// readAnswer reads an answer. What came before an error is in the answer.
func readAnswer(in *limited, request *http.Request, answer *probe.WebAnswer) error {
	buffered := bufio.NewReader(in)
	response, err := readHeader(buffered, request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	in.left = maxWire
	answer.Status = response.StatusCode
	for _, name := range keptHeader {
		if value := printable(response.Header.Get(name), maxField); value != "" {
			if answer.Header == nil {
				answer.Header = map[string]string{}
			}
			answer.Header[name] = value
		}
	}
	body, err := decoded(response)
	if err != nil {
		return err
	}
	answer.Body, err = io.ReadAll(io.LimitReader(body, maxBody+1))
	if len(answer.Body) > maxBody {
		answer.Body, answer.Truncated = answer.Body[:maxBody:maxBody], true
		return nil
	}
	return err
}

// readHeader reads headers until that of the real answer.
func readHeader(in *bufio.Reader, request *http.Request) (*http.Response, error) {
	for range maxInterim {
		response, err := http.ReadResponse(in, request)
		if err != nil || response.StatusCode < 100 || response.StatusCode > 199 {
			return response, err
		}
	}
	return nil, errInterim
}

// decoded returns the body without its encoding. We ask for gzip alone; a server that sends
// another encoding sends it to clients, too, and none that asks as we do can read it.
func decoded(response *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(response.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return response.Body, nil
	case "gzip", "x-gzip":
		if response.Body == http.NoBody {
			return response.Body, nil
		}
		return gzip.NewReader(response.Body)
	default:
		return nil, fmt.Errorf("%w: %s", errNotAsked, printable(encoding, 40))
	}
}

// whyCut says why an answer is not whole.
func whyCut(err error, ended bool, answer *probe.WebAnswer) *probe.Failure {
	why := func(kind probe.FailureKind, text string) *probe.Failure {
		return &probe.Failure{Kind: kind, Text: text}
	}
	begun := answer.Took != 0
	switch {
	case isTimeout(err) && !begun:
		return why(probe.TimedOut, fmt.Sprintf("does not answer within %v", probe.ByteLimit))
	case isTimeout(err):
		return why(probe.TimedOut, fmt.Sprintf("the answer does not end within %v", answerLimit))
	case ended:
		if !begun {
			return why(probe.Closed, "ends the connection without an answer")
		}
		return why(probe.Closed, "ends the connection within its answer")
	}
	if errors.Is(err, errTooLong) || errors.Is(err, errInterim) || errors.Is(err, errNotAsked) {
		return why(probe.BadProtocol, err.Error())
	}
	return why(probe.BadProtocol, "does not speak HTTP: "+printable(err.Error(), 200))
}

func isTimeout(err error) bool {
	network, ok := errors.AsType[net.Error](err)
	return ok && network.Timeout()
}
