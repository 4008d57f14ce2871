package dns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/dns/dnstest"
)

var testKey = Key{dnstest.TestKey.Name, dnstest.TestKey.Algorithm, Secret(dnstest.TestKey.Secret)}

func TestParseKey(t *testing.T) {
	const secret = "c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA="
	want := Key{"signpost", "hmac-sha256", secret}
	const notOneKey = `it does not hold one key, as "tsig-keygen name" prints it`
	const algorithms = ", it must be one of hmac-sha256, hmac-sha384, hmac-sha512"
	const good = `algorithm hmac-sha256; secret "` + secret + `";`
	for text, problem := range map[string]string{
		"key \"signpost\" {\n\talgorithm hmac-sha256;\n\tsecret \"" + secret + "\";\n};\n": "",
		"key Signpost. { secret " + secret + "; algorithm HMAC-SHA256; };":                 "",
		"# made by hand\nkey \"signpost\" { /* a\ncomment */ algorithm hmac-sha256; // another\n" +
			" secret \"" + secret + "\"; };\n": "",
		"# hmac-sha256:signpost:" + secret + "\n" +
			"key:\n  - id: signpost\n    algorithm: hmac-sha256\n    secret: " + secret + "\n": "",
		"hmac-sha256:signpost:" + secret: "",
		"":                               notOneKey,
		secret:                           notOneKey,
		"key a { " + good + " }; key b { " + good + " };":          notOneKey,
		`key a { algorithm hmac-md5; secret "` + secret + `"; };`:  `the key's algorithm is "hmac-md5"` + algorithms,
		`key a { algorithm hmac-sha1; secret "` + secret + `"; };`: `the key's algorithm is "hmac-sha1"` + algorithms,
		`key a { secret "` + secret + `"; };`:                      `the key's algorithm is ""` + algorithms,
		`key a { algorithm hmac-sha256; };`:                        "the key has no secret",
		`key a { algorithm hmac-sha256; secret "hemlig!"; };`:      "the key's secret is not base64",
		`key a { algorithm hmac-sha256; secret "not base64!!"; };`: "the key's secret is not base64",
		`key a { algorithm hmac-sha256; secret not base64!! ; };`:  "the key's secret is not base64",
		`key a { algorithm hmac-sha256; secret ""; };`:             "the key has no secret",
		`key a { algorithm hmac-sha256; secret "aGVtbGln"; };`:     "the key's secret has 6 bytes, at least 16 are needed",
	} {
		got, err := parseKey(text)
		if problem == "" {
			if err != nil || got != want {
				t.Errorf("parseKey(%q) = %#v, %v, want %#v", text, got, err, want)
			}
		} else if err == nil || err.Error() != problem {
			t.Errorf("parseKey(%q): error %v, want %s", text, err, problem)
		}
	}
	if _, err := ReadKeyFile("nowhere.key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadKeyFile of a missing file: error %v, want %v", err, fs.ErrNotExist)
	}
	file := dnstest.Write(t, filepath.Join(t.TempDir(), "signpost.key"), dnstest.BINDKey(dnstest.TestKey))
	if got, err := ReadKeyFile(file); err != nil || got != testKey {
		t.Errorf("ReadKeyFile = %v, %v, want %v", got, err, testKey)
	}
	dnstest.Write(t, file, "key")
	if _, err := ReadKeyFile(file); err == nil || !strings.HasPrefix(err.Error(), file+": it does not hold") {
		t.Errorf("ReadKeyFile of a broken file: error %v, want one that begins with its path", err)
	}
}

// TestKeyWithSlashes reads secrets that look as if they contained a comment.
func TestKeyWithSlashes(t *testing.T) {
	for _, secret := range []Secret{"c2//dC1zZWNyZXQtc2VjcmV0LXNlY3JldA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA////"} {
		text := "// a key // \"of\" ours\n/* for\n* it */ key \"signpost\" { # here\n" +
			"\talgorithm hmac-sha256; // strong\n\tsecret \"" + string(secret) + "\"; # \"x\"\n};\n"
		if key, err := parseKey(text); err != nil || key.Secret != secret || key.Name != "signpost" {
			t.Errorf("parseKey(%q) = %#v, %v, want the key signpost with its secret", text, key, err)
		}
	}
}

// TestTSIGKeygen reads what BIND's own program writes.
func TestTSIGKeygen(t *testing.T) {
	for _, algorithm := range Algorithms {
		out, err := exec.Command(dnstest.Tool(t, "tsig-keygen"), "-a", algorithm, "kund.example").Output()
		if err != nil {
			t.Fatal(err)
		}
		if key, err := parseKey(string(out)); err != nil || key.Name != "kund.example" || key.Algorithm != algorithm {
			t.Errorf("parseKey of the output for %s = %v, %v", algorithm, key, err)
		}
	}
}

func TestSecretStaysSecret(t *testing.T) {
	u := Update{"*", "192.0.2.1", testKey}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", testKey.Secret, "update", u, "key", &u.Key)
	encoded, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q", u, u, u, u.Key, u.Key.Secret), log.String(),
		string(encoded)} {
		if strings.Contains(text, string(testKey.Secret)) || !strings.Contains(text, "****") {
			t.Errorf("%s: contains the secret, or no **** in its place", text)
		}
	}
}
