package acceptance

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// thunderbird is a Thunderbird under remote control.
type thunderbird struct {
	*marionette
	log *lines
}

// preferences switch off what a closed network cannot offer. Everything that concerns
// accounts keeps its default.
const preferences = `
user_pref("network.manage-offline-status", false);
user_pref("offline.autoDetect", false);
user_pref("network.trr.mode", 5);
user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("mailnews.start_page.enabled", false);
user_pref("mail.shell.checkDefaultClient", false);
`

// startThunderbird starts Thunderbird with a new profile that trusts the authority, and
// waits until it accepts commands.
func startThunderbird(t *testing.T, ca *authority) *thunderbird {
	t.Helper()
	profile := filepath.Join(work, "profile")
	writeFile(t, "profile/user.js", preferences)
	for _, args := range [][]string{
		{"-N", "--empty-password", "-d", "sql:" + profile},
		{"-A", "-n", "acceptance", "-t", "C,,", "-i", ca.file, "-d", "sql:" + profile},
	} {
		// Standard input is empty, so certutil cannot wait for a password.
		if out, err := exec.Command("certutil", args...).CombinedOutput(); err != nil {
			t.Fatalf("certutil: %v: %s", err, out)
		}
	}
	tb := &thunderbird{log: &lines{}}
	cmd := exec.Command("thunderbird", "--profile", profile, "--no-remote",
		"--marionette", "--remote-allow-system-access", "--headless")
	cmd.Env = append(os.Environ(), "MOZ_CRASHREPORTER_DISABLE=1", "DBUS_SESSION_BUS_ADDRESS=disabled:",
		"NO_AT_BRIDGE=1")
	cmd.Stdout, cmd.Stderr = tb.log, tb.log
	ended := run(t, cmd)
	var err error
	if tb.marionette, err = connectMarionette("127.0.0.1:2828", 40*time.Second, ended); err != nil {
		t.Fatalf("connecting to Thunderbird: %v\n%s", err, tb.log)
	}
	return tb
}

// picture saves a screenshot of the window among the artefacts.
func (tb *thunderbird) picture(t *testing.T, name string) {
	t.Helper()
	dir := filepath.Join("..", ".artefacts", "acceptance")
	text, err := tb.screenshot()
	if err != nil {
		t.Logf("no screenshot: %v", err)
		return
	}
	image, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644)
	}
	if err != nil {
		t.Errorf("saving the screenshot: %v", err)
	}
}
