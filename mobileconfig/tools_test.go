package mobileconfig

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"howett.net/plist"
)

// tool runs a program and returns its output. It skips the test if the program is not
// installed; CI sets SIGNPOST_REQUIRE_TOOLS, and the test fails instead.
func tool(t testing.TB, input []byte, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	command := exec.Command(path, args...)
	var out, errs bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &out, &errs
	if err := command.Run(); err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, errs.Bytes())
	}
	return out.Bytes()
}

// values returns a profile's values in a form that can be compared.
func values(t testing.TB, document []byte) any {
	t.Helper()
	var v any
	if _, err := plist.Unmarshal(document, &v); err != nil {
		t.Fatal(err)
	}
	return viaJSON(t, v)
}

func viaJSON(t testing.TB, v any) (out any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOtherReaders checks that other parsers of property lists than the writer's
// library read the same values.
func TestOtherReaders(t *testing.T) {
	var texts []string
	var want []any
	profiles := profiles(t)
	for _, p := range profiles {
		text := document(t, settings(t, p.provider, p.address), p.options)
		texts, want = append(texts, string(text)), append(want, values(t, text))
	}
	t.Run("plistlib", func(t *testing.T) {
		input, err := json.Marshal(texts)
		if err != nil {
			t.Fatal(err)
		}
		const script = "import sys, json, plistlib as p; json.dump([p.loads(x.encode(), fmt=p.FMT_XML) for x in json.load(sys.stdin)], sys.stdout)"
		var got []any
		if err := json.Unmarshal(tool(t, input, "python3", "-c", script), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-ours +theirs:\n%s", diff)
		}
	})
	t.Run("plistutil", func(t *testing.T) {
		for i, text := range texts {
			binary := tool(t, []byte(text), "plistutil", "-i", "-", "-o", "-", "-f", "bin")
			if !bytes.HasPrefix(binary, []byte("bplist")) {
				t.Fatalf("%s: plistutil printed %q, want a binary property list", profiles[i].file, binary)
			}
			if diff := cmp.Diff(want[i], values(t, binary)); diff != "" {
				t.Errorf("%s: -ours +theirs:\n%s", profiles[i].file, diff)
			}
		}
	})
	t.Run("xmllint", func(t *testing.T) {
		for _, text := range texts {
			tool(t, []byte(text), "xmllint", "--nonet", "--noout", "-")
		}
	})
	t.Run("damaged", func(t *testing.T) {
		// The programs do report errors. plistutil only prints its error and exits with 0.
		text := document(t, settings(t, small, "anna@example.se"), Options{})
		text = text[:len(text)/2]
		for _, command := range [][]string{{"plistutil", "-i", "-", "-o", "-", "-f", "bin"},
			{"xmllint", "--noout", "-"}} {
			run := exec.Command(command[0], command[1:]...)
			if run.Err != nil {
				continue // not installed: the subtests above were skipped or failed
			}
			run.Stdin = bytes.NewReader(text)
			if out, err := run.Output(); err == nil && !bytes.HasPrefix(out, []byte("ERROR:")) {
				t.Errorf("%s accepts a damaged profile: %q", command[0], out)
			}
		}
	})
}
