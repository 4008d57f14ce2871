package main

import (
	"io"
	"strings"
	"syscall"
	"testing"
)

// TestNoMailboxInTheLog checks that the warnings and faults of accounts reach the log, at
// the start and at a reload, without the names of people, and that check has them whole.
func TestNoMailboxInTheLog(t *testing.T) {
	const unlisted = "accounts: [list: {anna@example.net: {}}]"
	folder := prepare(t, "")
	good := strings.Replace(configText(folder, "one.example", unlisted),
		"    servers:", "    mx: [mx.one.example]\n    servers:", 1)
	put(t, folder, "signpost.yaml", good)
	r := startServe(t, folder, nil)
	const warning = "accounts[0].list.…@example.net: looks wrong; signpost check says why"
	if log := r.stderr.String(); !strings.Contains(log, warning) {
		t.Errorf("the log does not warn of the account:\n%s", log)
	}
	put(t, folder, "signpost.yaml", strings.Replace(good, "{}}]", "{provider: nosuch}}]", 1))
	r.signal(t, syscall.SIGHUP)
	const refusal = "accounts[0].list.…@example.net.provider: is wrong; signpost check says why"
	if got := r.says(t, notReloaded); !strings.HasSuffix(got[1], refusal) {
		t.Errorf("the reload failed with %q, want the place without the name", got[1])
	}
	r.stop(t)
	if log := r.stderr.String(); strings.Contains(log, "anna") {
		t.Errorf("the log holds the name of a mailbox:\n%s", log)
	}

	for command, want := range map[string]string{
		"serve": "…@example.net.provider: is wrong",
		"check": "anna@example.net.provider: there is no provider",
	} {
		var stderr output
		e := env{strings.NewReader(""), io.Discard, &stderr}
		if status := run(t.Context(), e, []string{command, "-config", folder + "/signpost.yaml"}); status != 1 {
			t.Errorf("%s ended with status %d, want 1", command, status)
		}
		if got := stderr.String(); !strings.Contains(got, want) || command == "serve" && strings.Contains(got, "anna") {
			t.Errorf("%s says %q, want %q", command, got, want)
		}
	}
}
