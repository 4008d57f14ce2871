package acceptance

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// thunderbird is the program under remote control.
type thunderbird struct {
	*marionette
	log *lines
}

// preferences keep Thunderbird from what a closed network does not have, and
// leave everything that concerns accounts as it comes.
const preferences = `
user_pref("network.manage-offline-status", false);
user_pref("offline.autoDetect", false);
user_pref("network.trr.mode", 5);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("services.settings.server", "");
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("mailnews.start_page.enabled", false);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("browser.safebrowsing.provider.mozilla.updateURL", "");
user_pref("mail.setup.loglevel", "Warn");
`

// startThunderbird starts the program with a new profile that trusts the
// authority, and waits until it can be driven.
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
	cmd := exec.Command("thunderbird", "--profile", profile, "--no-remote", "--marionette", "--remote-allow-system-access", "--headless")
	cmd.Env = append(os.Environ(), "MOZ_CRASHREPORTER_DISABLE=1", "DBUS_SESSION_BUS_ADDRESS=disabled:", "NO_AT_BRIDGE=1")
	cmd.Stdout, cmd.Stderr = tb.log, tb.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	var err error
	if tb.marionette, err = connectMarionette("127.0.0.1:2828", 40*time.Second, ended); err != nil {
		t.Fatalf("Thunderbird cannot be driven: %v\n%s", err, tb.log)
	}
	return tb
}

// picture keeps what the window shows among the artefacts.
func (tb *thunderbird) picture(t *testing.T, name string) {
	t.Helper()
	text, err := tb.screenshot()
	if err != nil {
		t.Logf("no screenshot: %v", err)
		return
	}
	octets, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Logf("no screenshot: %v", err)
		return
	}
	dir := filepath.Join("..", ".artefacts", "acceptance")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), octets, 0o644); err != nil {
		t.Fatal(err)
	}
}

// hub is what the Account Hub shows.
type hub struct {
	Step    string // id of the step
	Busy    bool   // it works on something
	Forward bool   // the button to go on can be pressed
	Notice  string // what it tells the person, as the name of the text
}

func (h hub) String() string {
	text := h.Step
	if h.Notice != "" {
		text += " “" + h.Notice + "”"
	}
	if h.Busy {
		text += ", still busy"
	}
	return text
}

// The Account Hub and its parts: messenger.xhtml's custom elements.
const hubScript = `
const container = document.querySelector("account-hub-container");
const email = container?.shadowRoot?.querySelector("account-hub-email");
const step = email?.querySelector(".account-hub-step:not([hidden])");
const inner = step && (selector => step.querySelector(selector) ?? step.shadowRoot?.querySelector(selector));
`

func (tb *thunderbird) hub() (hub, error) {
	var h hub
	err := tb.run(hubScript+`
if (!step) {
  return {Step: "", Busy: false, Forward: false, Notice: ""};
}
const forward = email.querySelector("#emailFooter #forward");
const header = step.shadowRoot?.querySelector("account-hub-header")?.shadowRoot;
const notice = header?.querySelector("#emailFormNotification:not([hidden]) #emailFormNotificationTitle");
return {
  Step: step.id,
  Busy: email.classList.contains("busy"),
  Forward: !forward.hidden && !forward.disabled,
  Notice: notice?.querySelector(".localized-title").dataset.l10nId || notice?.querySelector(".raw-title").textContent || "",
};`, &h)
	return h, err
}

// await waits until the hub shows one of the steps and is done with its work.
func (tb *thunderbird) await(timeout time.Duration, steps ...string) (hub, error) {
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		h, err := tb.hub()
		if err != nil {
			return h, err
		}
		for _, step := range steps {
			if h.Step == step && !h.Busy {
				return h, nil
			}
		}
		if time.Now().After(deadline) {
			return h, fmt.Errorf("it stays at %v", h)
		}
	}
}

// typeInto types into a field of the step as a keyboard does.
func (tb *thunderbird) typeInto(selector, text string) error {
	var field element
	if err := tb.run(hubScript+`return inner(arguments[0]);`, &field, selector); err != nil {
		return err
	}
	if err := tb.call("WebDriver:ElementClear", map[string]any{"id": field.id()}, nil); err != nil {
		return err
	}
	return tb.call("WebDriver:ElementSendKeys", map[string]any{"id": field.id(), "text": text}, nil)
}

// press presses a button of the hub's footer, "forward" or "back".
func (tb *thunderbird) press(button string) error {
	var found element
	if err := tb.run(hubScript+`return email.querySelector("#emailFooter #" + arguments[0]);`, &found, button); err != nil {
		return err
	}
	return tb.call("WebDriver:ElementClick", map[string]any{"id": found.id()}, nil)
}
