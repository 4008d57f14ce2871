package autodiscover

import (
	"bytes"
	"strings"
	"sync"
)

// requestCache remembers requests that have been scanned. The requests of one
// program for different mailboxes differ in the address only, so the bytes
// around the address determine everything else. Reading XML is half of what a
// request costs.
//
// The zero value is empty and ready for concurrent use.
type requestCache struct {
	mu       sync.RWMutex
	requests map[string]requestTexts // without address, by cacheKey
}

// The cache holds at most 128 KB of requests, which anybody can send. Filling
// it only costs others the speed-up.
const (
	maxRequests    = 128
	maxRequestSize = 1 << 10
)

// scan is like the function scan, but does not read a request again that it
// remembers.
func (c *requestCache) scan(body []byte) (requestTexts, error) {
	before, address, after, ok := cutAddress(body)
	if !ok || len(before)+1+len(after) > maxRequestSize {
		return scan(body)
	}
	key := cacheKey(before, after)
	c.mu.RLock()
	texts, ok := c.requests[key]
	c.mu.RUnlock()
	if ok {
		texts.address = string(address)
		return texts, nil
	}
	texts, err := scan(body)
	if err == nil && isAddressElement(before, after, texts) {
		c.add(key, texts)
	}
	return texts, err
}

// cacheKey joins the bytes around an address. XML contains no NUL, so different
// texts have different keys.
func cacheKey(before, after []byte) string {
	return string(bytes.Join([][]byte{before, after}, []byte{0}))
}

// add remembers a request. A full cache is emptied first.
func (c *requestCache) add(key string, texts requestTexts) {
	texts.address = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests == nil || len(c.requests) >= maxRequests {
		c.requests = map[string]requestTexts{}
	}
	c.requests[key] = texts
}

// isAddressElement reports whether the text between before and after is the
// address of the request, and not part of a comment, for example. If it is,
// another address in its place changes nothing else.
func isAddressElement(before, after []byte, want requestTexts) bool {
	const other = "other@example.com"
	want.address = other
	got, err := scan(bytes.Join([][]byte{before, after}, []byte(other)))
	return err == nil && got == want
}

// cutAddress cuts the body around the text of the first EMailAddress element, or
// what looks like it. It returns false for an address with characters that XML
// might read in another way than byte by byte.
func cutAddress(body []byte) (before, address, after []byte, ok bool) {
	const begin, end = "<EMailAddress>", "</EMailAddress>"
	i := bytes.Index(body, []byte(begin))
	if i < 0 {
		return nil, nil, nil, false
	}
	before, rest := body[:i+len(begin)], body[i+len(begin):]
	i = bytes.IndexByte(rest, '<')
	if i <= 0 || !bytes.HasPrefix(rest[i:], []byte(end)) {
		return nil, nil, nil, false
	}
	for _, c := range rest[:i] {
		if !isPlain(c) {
			return nil, nil, nil, false
		}
	}
	return before, rest[:i], rest[i:], true
}

// isPlain reports whether c is an ASCII letter or digit, or one of @.-_+
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("@.-_+", c) >= 0
}
