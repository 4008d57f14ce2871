package network

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"signpost/internal/doctor/probe"
)

// The limits of one answer of a web server.
const (
	maxHeader   = 16 << 10
	maxField    = 2 << 10 // of a line of the header that is kept
	maxBody     = 64 << 10
	maxWire     = 512 << 10        // of the body as it is sent, in chunks and compressed
	maxInterim  = 5                // answers 1xx before the real one
	answerLimit = 15 * time.Second // from the request to the end of the body
)

// Web implements probe.Asker.
func (n *Network) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	target, failure := n.target(q.URL)
	if failure == nil {
		failure = n.counts.take(webRequests, MaxWeb)
	}
	if failure != nil {
		return probe.WebAnswer{Failure: failure}
	}
	c := n.dial(ctx, target.host, target.port, q.Address)
	defer c.Close()
	answer := probe.WebAnswer{Address: c.address, Failure: c.failure}
	if c.failure == nil {
		n.exchange(ctx, c, q, target, &answer)
		n.heard(c, answer.Took != 0, answer.Failure)
	}
	if answer.Took == 0 {
		answer.Took = c.elapsed()
	}
	return answer
}

// target is where a URL leads.
type target struct {
	url    *url.URL
	host   string
	port   int
	secure bool
}

// target reads a URL, which may come from a stranger's redirect.
func (n *Network) target(rawURL string) (target, *probe.Failure) {
	bad := func(kind probe.FailureKind, text string) (target, *probe.Failure) {
		return target{}, &probe.Failure{Kind: kind, Text: text}
	}
	u, err := url.Parse(rawURL)
	switch {
	case err != nil || len(rawURL) > 4096:
		return bad(probe.BadProtocol, "not a URL that can be asked")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return bad(probe.BadProtocol, "not a URL of a web server")
	case u.User != nil:
		return bad(probe.Forbidden, "a URL with a user name is never asked")
	}
	t := target{url: u, host: u.Hostname(), secure: u.Scheme == "https", port: 80}
	if t.secure {
		t.port = 443
	}
	if u.Port() != "" {
		if t.port, err = strconv.Atoi(u.Port()); err != nil || t.port > 65535 {
			return bad(probe.BadProtocol, "not a URL that can be asked")
		}
	}
	if t.port != 80 && t.port != 443 && !n.options.AnyPort {
		return bad(probe.Forbidden, fmt.Sprintf("web servers are asked at ports 80 and 443, not at %d", t.port))
	}
	if ascii, err := idna.Lookup.ToASCII(t.host); err == nil && ascii != strings.ToLower(t.host) {
		t.host, u.Host = ascii, strings.Replace(u.Host, t.host, ascii, 1)
	}
	return t, nil
}

// exchange sends the request and reads the answer.
func (n *Network) exchange(ctx context.Context, c *connection, q probe.WebQuestion, t target, answer *probe.WebAnswer) {
	request, err := n.request(q, t)
	if err != nil {
		answer.Failure = &probe.Failure{Kind: probe.BadProtocol, Text: "not a request that can be sent"}
		return
	}
	var stream net.Conn = c
	if t.secure {
		h := handshake{host: strings.TrimSuffix(t.host, "."), alpn: []string{"http/1.1"}, roots: n.options.Roots}
		secured, facts, failure := h.do(ctx, c)
		if answer.TLS = facts; failure != nil {
			answer.Failure = failure
			if isOver(ctx) {
				answer.Failure = ended()
			}
			return
		}
		stream = secured
	}
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(past) })
	defer stop()
	began := time.Now()
	c.SetDeadline(began.Add(probe.ByteLimit))
	in := &limited{conn: stream, left: maxHeader, first: func() {
		answer.Took = c.elapsed()
		c.SetDeadline(began.Add(answerLimit))
		if ctx.Err() != nil {
			c.SetDeadline(past)
		}
	}}
	request.Write(stream) // an error shows when the answer is read, which may have come before
	err = readAnswer(in, request, answer)
	switch {
	case err != nil && isOver(ctx):
		answer.Failure = ended()
	case err != nil:
		answer.Failure = whyCut(err, in.ended, answer)
	}
}

// request returns the HTTP request of a question.
func (n *Network) request(q probe.WebQuestion, t target) (*http.Request, error) {
	request, err := http.NewRequest(q.Method, t.url.String(), strings.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	if q.Body == "" {
		request.Body, request.ContentLength = nil, 0
	}
	request.Close = true // one request for each connection
	request.Header.Set("User-Agent", "Signpost-doctor/"+cmp.Or(n.options.Version, "devel"))
	request.Header.Set("Accept-Encoding", "gzip")
	if q.ContentType != "" {
		request.Header.Set("Content-Type", q.ContentType)
	}
	for line := range strings.Lines(q.Header) {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return request, nil
}
