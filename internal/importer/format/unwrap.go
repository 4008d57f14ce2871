package format

import (
	"bytes"
	"encoding/pem"
)

// unwrapCMS returns the XML within a signed message (CMS, RFC 5652), or the data as they are. Whose
// signature it is does not matter here: the operator names the file. The content is an octet string
// or, as some programs write it, several of them, one after the other (X.690 section 8.7).
func unwrapCMS(data []byte) (content []byte, ok bool) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	if len(data) == 0 || data[0] != 0x30 {
		return data, true
	}
	begin := bytes.Index(data, []byte("<?xml"))
	if begin < 0 {
		begin = bytes.Index(data, []byte("<plist"))
	}
	if begin < 0 {
		return nil, false
	}
	// The header of the first octet string has 2 to 6 bytes. A mark of UTF-8 may come before the text.
	for header := max(0, begin-9); header < begin; header++ {
		start, length, ok := octetString(data[header:])
		if !ok || header+start > begin || header+start < begin-3 || length < len("<?xml") {
			continue
		}
		rest := data[header:]
		for {
			start, length, ok := octetString(rest)
			if !ok {
				break
			}
			content = append(content, rest[start:start+length]...)
			rest = rest[start+length:]
		}
		return content, true
	}
	return nil, false
}

// octetString returns where the content of an octet string begins, and its length.
func octetString(data []byte) (start, length int, ok bool) {
	if len(data) < 2 || data[0] != 0x04 {
		return 0, 0, false
	}
	start, length = 2, int(data[1])
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 4 || len(data) < 2+n {
			return 0, 0, false
		}
		length = 0
		for _, b := range data[2 : 2+n] {
			length = length<<8 | int(b)
		}
		start += n
	}
	return start, length, length >= 0 && start+length <= len(data)
}
