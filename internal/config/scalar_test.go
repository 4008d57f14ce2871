package config

import (
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	for id, valid := range map[string]bool{
		"a0": true, "a9": true, "z": true, "Z": true, "A": true, "0a": true, "a-b_c.d": true,
		"-a": false, ".a": false, "_a": false, "a b": false, "a/b": false, "a:b": false, "a@b": false, "a[b": false,
		"a`b": false, "a{b": false, "å": false,
	} {
		c, err := parse("x.yaml", []byte(strings.Replace(minimal, "id: example", `id: "`+id+`"`, 1)))
		if valid != (err == nil) {
			t.Errorf("id %q: error %v, want valid: %v", id, err, valid)
		}
		if err == nil && c.Providers[0].ID != id {
			t.Errorf("id %q is read as %q", id, c.Providers[0].ID)
		}
		if err != nil && !strings.Contains(err.Error(), "is not a word of letters") {
			t.Errorf("id %q is refused for another reason: %v", id, err)
		}
	}
}

func TestURLs(t *testing.T) {
	for text, want := range map[string]string{
		"HTTPS://Mail.Example.com/Path":   "https://mail.example.com/Path",
		"https://mail.example.com:8443/?": "https://mail.example.com:8443/?",
		"https://räk.example/%C3%A5#x":    "https://xn--rk-via.example/%C3%A5#x",
	} {
		c, err := parse("x.yaml",
			[]byte(strings.Replace(minimal, "    servers:", "    webmail: \""+text+"\"\n    servers:", 1)))
		if err != nil {
			t.Errorf("webmail %q: %v", text, err)
			continue
		}
		if got := c.Providers[0].Webmail; got != want {
			t.Errorf("webmail %q is read as %q, want %q", text, got, want)
		}
	}
}
