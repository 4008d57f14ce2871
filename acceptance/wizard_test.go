package acceptance

import (
	"fmt"
	"strings"
	"time"
)

// The steps of the Account Hub, by the ids of their elements in
// accountcreation/views/email.mjs.
const (
	stepAddress  = "emailAutoConfigSubview"
	stepTrust    = "emailCredentialsConfirmationSubview" // asks whether the password may be sent there
	stepFound    = "emailConfigFoundSubview"
	stepByHand   = "emailIncomingConfigSubview" // nothing was found, the person fills in a form
	stepPassword = "emailPasswordSubview"
	stepDone     = "emailAddedSuccessSubview"
)

// foundNothing is the text that the hub shows above the form.
const foundNothing = "account-hub-find-account-settings-failed"

// stepTimeout is how long a step may take. The hub waits at most ten seconds, for a host
// that does not answer; the rest is for a busy machine.
const stepTimeout = 45 * time.Second

// hub is the state of the Account Hub.
type hub struct {
	Step   string
	Busy   bool   // work is in progress
	Notice string // the message to the person, by the name of the text if it has one
}

func (h hub) String() string {
	text := h.Step
	if h.Notice != "" {
		text += " “" + h.Notice + "”"
	}
	if h.Busy {
		text += ", busy"
	}
	return text
}

// hubScript finds the parts of the hub, which are custom elements in nested shadow
// trees.
const hubScript = `
const email = document.querySelector("account-hub-container")?.shadowRoot?.querySelector("account-hub-email");
const step = email?.querySelector(".account-hub-step:not([hidden])");
`

// hub reads the current state of the hub.
func (tb *thunderbird) hub() (hub, error) {
	var h hub
	err := tb.run(hubScript+`
const header = step?.shadowRoot?.querySelector("account-hub-header")?.shadowRoot;
const title = header?.querySelector("#emailFormNotification:not([hidden]) #emailFormNotificationTitle");
return {
  Step: step?.id ?? "no step",
  Busy: email?.classList.contains("busy") ?? true,
  Notice: title?.querySelector(".localized-title").dataset.l10nId ||
    title?.querySelector(".raw-title").textContent || "",
};`, &h)
	return h, err
}

// wizard is a person who uses the Account Hub. A step that fails ends the test.
type wizard struct {
	*thunderbird
	*network
}

// fail ends the test with the state of the hub and saves a screenshot.
func (w *wizard) fail(format string, args ...any) {
	w.t.Helper()
	h, err := w.hub()
	ended := h.String()
	if err != nil {
		ended = err.Error()
	}
	w.picture(w.t, strings.ReplaceAll(w.t.Name(), "/", " ")+" failed")
	w.network.fail(ended, format, args...)
}

// until waits until the hub shows one of the steps and is not busy.
func (w *wizard) until(steps ...string) hub {
	w.t.Helper()
	for deadline := time.Now().Add(stepTimeout); ; time.Sleep(50 * time.Millisecond) {
		h, err := w.hub()
		if err != nil {
			w.fail("reading the hub: %v", err)
		}
		for _, step := range steps {
			if h.Step == step && !h.Busy {
				return h
			}
		}
		if time.Now().After(deadline) {
			w.fail("the hub does not reach %s", strings.Join(steps, " or "))
		}
	}
}

// enter enters text into a field of the step, key by key.
func (w *wizard) enter(selector, text string) {
	w.t.Helper()
	var field element
	err := w.run(hubScript+`return step.querySelector(arguments[0]);`, &field, selector)
	if err == nil {
		err = w.call("WebDriver:ElementClear", map[string]any{"id": field.id()}, nil)
	}
	if err == nil {
		err = w.call("WebDriver:ElementSendKeys", map[string]any{"id": field.id(), "text": text}, nil)
	}
	if err != nil {
		w.fail("entering text into %s: %v", selector, err)
	}
}

// press clicks a button of the hub's footer: forward or back.
func (w *wizard) press(button string) {
	w.t.Helper()
	var found element
	err := w.run(hubScript+`return email.querySelector("#emailFooter #" + arguments[0]);`, &found, button)
	if err == nil {
		err = w.call("WebDriver:ElementClick", map[string]any{"id": found.id()}, nil)
	}
	if err != nil {
		w.fail("pressing %s: %v", button, err)
	}
}

// found is what the wizard has found.
type found struct {
	Source             string // Thunderbird's subSource
	Incoming, Outgoing server
}

func (f found) String() string {
	return fmt.Sprintf("%s: %v, %v", f.Source, f.Incoming, f.Outgoing)
}

// serverScript converts a server into the terms of type server. The numbers are those
// of nsMsgSocketType.
const serverScript = `
const sockets = {0: "plain", 2: "STARTTLS", 3: "SSL"};
const words = s => ({
  Type: s.type, Hostname: s.hostname, Port: s.port, SocketType: sockets[s.socketType], Username: s.username,
});
`

// found reads the state of the step that shows what was found, as the wizard itself
// does when the person goes on.
func (w *wizard) found() found {
	w.t.Helper()
	var f found
	if err := w.run(hubScript+serverScript+`
const config = step.captureState();
return {Source: config.subSource, Incoming: words(config.incoming), Outgoing: words(config.outgoing)};`, &f); err != nil {
		w.fail("reading what was found: %v", err)
	}
	return f
}

// configured is an account in Thunderbird's settings.
type configured struct {
	Name, Address      string
	Incoming, Outgoing server
	Password           bool // whether both use a password that is sent inside TLS
}

func (c configured) String() string {
	return fmt.Sprintf("%s <%s>: %v, %v", c.Name, c.Address, c.Incoming, c.Outgoing)
}

// accounts lists the mail accounts that Thunderbird has.
func (w *wizard) accounts() []configured {
	w.t.Helper()
	var all []configured
	if err := w.run(serverScript+`
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
return MailServices.accounts.accounts.filter(a => a.incomingServer.type != "none").map(account => {
  const { incomingServer: incoming, defaultIdentity: identity } = account;
  const outgoing = MailServices.outgoingServer.getServerByIdentity(identity);
  const { type, username, socketType, serverURI } = outgoing;
  return {
    Name: identity.fullName,
    Address: identity.email,
    Incoming: words(incoming),
    Outgoing: words({ type, username, socketType, hostname: serverURI.host, port: serverURI.port }),
    Password: [incoming, outgoing].every(s => s.authMethod == Ci.nsMsgAuthMethod.passwordCleartext),
  };
});`, &all); err != nil {
		w.fail("reading the accounts: %v", err)
	}
	return all
}

// send sends a letter from the account to itself with the settings that the wizard has
// saved. The wizard itself tests the incoming server only.
func (w *wizard) send(address string) {
	w.t.Helper()
	file := writeFile(w.t, "letter.eml", "From: "+address+"\r\nTo: "+address+"\r\n"+
		"Subject: it works\r\nMessage-ID: <letter@firma.example>\r\n\r\nIt works.\r\n")
	var problem string
	err := w.run(`
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const [file, address] = arguments;
const letter = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
letter.initWithPath(file);
const identity = MailServices.accounts.accounts.find(a => a.defaultIdentity).defaultIdentity;
const outgoing = MailServices.outgoingServer.getServerByIdentity(identity);
const to = MailServices.headerParser.makeFromDisplayAddress(address);
const { promise, resolve } = Promise.withResolvers();
outgoing.sendMailMessage(letter, to, [], identity, address, null, null, false, "letter@firma.example", {
  QueryInterface: ChromeUtils.generateQI(["nsIMsgOutgoingListener"]),
  onSendStart() {},
  onSendStop(uri, status, secInfo, message) {
    resolve(Components.isSuccessCode(status) ? "" : "0x" + status.toString(16) + " " + message);
  },
});
return promise;`, &problem, file, address)
	if err != nil {
		problem = err.Error()
	}
	if problem != "" {
		w.fail("sending a letter: %s", problem)
	}
}
