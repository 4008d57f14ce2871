package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// server is a server of an account, in our words and in any client's eyes.
type server struct {
	Type, Hostname string
	Port           int
	SocketType     string
	Username       string
}

func (s server) String() string {
	return fmt.Sprintf("%s %s:%d %s as %s", s.Type, s.Hostname, s.Port, s.SocketType, s.Username)
}

// found is what the wizard says that it found.
type found struct {
	Source             string // Thunderbird's subSource
	Incoming, Outgoing server
}

func (f found) String() string {
	return fmt.Sprintf("%s: %v, %v", f.Source, f.Incoming, f.Outgoing)
}

// serverScript turns Thunderbird's numbers into our words: nsMsgSocketType and
// nsMsgAuthMethod.
const serverScript = `
const sockets = {0: "plain", 2: "STARTTLS", 3: "SSL"};
const found = s => ({Type: s.type, Hostname: s.hostname, Port: s.port, SocketType: sockets[s.socketType], Username: s.username});
`

// found asks the step that shows what was found for its state, as the wizard
// does when the person goes on.
func (tb *thunderbird) found() (found, error) {
	var f found
	err := tb.run(hubScript+serverScript+`
const config = step.captureState();
return {Source: config.subSource, Incoming: found(config.incoming), Outgoing: found(config.outgoing)};`, &f)
	return f, err
}

// configured is an account as it stands in Thunderbird's settings.
type configured struct {
	Name, Address      string
	Incoming, Outgoing server
	Cleartext          bool // both sign in with a password inside TLS
}

func (c configured) String() string {
	return fmt.Sprintf("%s <%s>: %v, %v", c.Name, c.Address, c.Incoming, c.Outgoing)
}

// accounts lists the mail accounts of the program.
func (tb *thunderbird) accounts() ([]configured, error) {
	var all []configured
	err := tb.run(serverScript+`
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const accounts = [];
for (const account of MailServices.accounts.accounts) {
  const incoming = account.incomingServer;
  if (incoming.type == "none") { // Local Folders
    continue;
  }
  const identity = account.defaultIdentity;
  const outgoing = MailServices.outgoingServer.getServerByIdentity(identity);
  const smtp = outgoing.serverURI.asciiHost ? outgoing.serverURI : null;
  accounts.push({
    Name: identity.fullName,
    Address: identity.email,
    Incoming: found({type: incoming.type, hostname: incoming.hostname, port: incoming.port, socketType: incoming.socketType, username: incoming.username}),
    Outgoing: found({type: outgoing.type, hostname: smtp.host, port: smtp.port, socketType: outgoing.socketType, username: outgoing.username}),
    Cleartext: [incoming, outgoing].every(s => s.authMethod == Ci.nsMsgAuthMethod.passwordCleartext),
  });
}
return accounts;`, &all)
	return all, err
}

// send sends a letter through the account's outgoing server, with what the
// wizard saved: the wizard itself tries the incoming server alone.
func (tb *thunderbird) send(t *testing.T, to string) error {
	t.Helper()
	file := writeFile(t, "letter.eml", "From: "+to+"\r\nTo: "+to+"\r\nSubject: it works\r\nMessage-ID: <letter@firma.example>\r\n\r\nIt works.\r\n")
	var problem string
	err := tb.run(`
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
return promise;`, &problem, file, to)
	if err == nil && problem != "" {
		err = fmt.Errorf("the letter cannot be sent: %s", problem)
	}
	return err
}

// awaitLetter waits until the letter lies in the mailbox.
func (m *mailServers) awaitLetter(login string) error {
	dir := filepath.Join(work, "mail", "mail", login)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, state := range []string{"new", "cur"} {
			if files, err := os.ReadDir(filepath.Join(dir, state)); err == nil && len(files) > 0 {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no letter came to %s; postfix says:\n%s", login, logText(m.postfix))
		}
	}
}
