package autodiscover

import (
	"bytes"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// known remembers requests that have been scanned. What one program sends for
// different mailboxes differs in the address and in nothing else, so the bytes
// around it say all the rest, and reading XML is most of what a request costs.
//
// The zero value knows none.
type known struct {
	mu       sync.Mutex // of whoever adds
	requests atomic.Pointer[map[string]texts]
}

// Strangers send what they like. What they could fill is 128 KB, and whoever
// does that makes others' requests as dear as if nothing were remembered.
const (
	maxKnown     = 128
	maxKnownSize = 1 << 10
)

// scan is what scan says of the body. The key is scratch memory for up to
// maxKnownSize octets.
func (k *known) scan(body, key []byte) (texts, error) {
	before, address, after, ok := cutAddress(body)
	if !ok || len(before)+1+len(after) > maxKnownSize {
		return scan(body)
	}
	key = append(append(append(key[:0], before...), 0), after...) // nobody else's: XML has no NUL
	if requests := k.requests.Load(); requests != nil {
		if found, ok := (*requests)[string(key)]; ok {
			found.address = string(address)
			return found, nil
		}
	}
	found, err := scan(body)
	if err == nil && found.address == string(address) {
		k.add(before, after, string(key), found)
	}
	return found, err
}

// add remembers a request, unless the text that looks like the address is
// something else, such as a comment.
func (k *known) add(before, after []byte, key string, found texts) {
	const other = "other@example.com"
	expected := found
	expected.address = other
	if again, err := scan(bytes.Join([][]byte{before, []byte(other), after}, nil)); err != nil || again != expected {
		return
	}
	found.address = ""
	k.mu.Lock()
	defer k.mu.Unlock()
	requests := map[string]texts{}
	if old := k.requests.Load(); old != nil && len(*old) < maxKnown {
		requests = maps.Clone(*old)
	}
	requests[key] = found
	k.requests.Store(&requests)
}

// cutAddress cuts out the text of what looks like an EMailAddress element, as
// long as XML has no other way to read it than octet by octet.
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
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("@.-_+", c) >= 0) {
			return nil, nil, nil, false
		}
	}
	return before, rest[:i], rest[i:], true
}
