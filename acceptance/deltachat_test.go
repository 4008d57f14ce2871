package acceptance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// deltaChat is the core of Delta Chat, which all its apps share. It has its own readers
// of autoconfig and Autodiscover (src/configure/auto_mozilla.rs and auto_outlook.rs).
// The test drives it by JSON-RPC with one message per line.
type deltaChat struct {
	in   io.Writer
	out  *bufio.Reader
	last int
}

func startDeltaChat(t *testing.T) *deltaChat {
	t.Helper()
	cmd := exec.Command("deltachat-rpc-server")
	cmd.Env = append(os.Environ(), "DC_ACCOUNTS_PATH="+work+"/deltachat", "RUST_LOG=error")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, pipe := io.Pipe()
	cmd.Stdout = pipe
	ended := run(t, cmd)
	// The test must not hang if the program ends or does not answer.
	silence := time.AfterFunc(caseTimeout/2, func() { pipe.CloseWithError(errors.New("Delta Chat does not answer")) })
	t.Cleanup(func() { silence.Stop() })
	go func() {
		<-ended
		pipe.CloseWithError(errors.New("Delta Chat has ended"))
	}()
	return &deltaChat{in: in, out: bufio.NewReader(out)}
}

// call calls a method and reads its result.
func (d *deltaChat) call(method string, result any, parameters ...any) error {
	d.last++
	request, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": d.last, "method": method, "params": append([]any{}, parameters...),
	})
	if err != nil {
		return err
	}
	if _, err := d.in.Write(append(request, '\n')); err != nil {
		return err
	}
	line, err := d.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	var answer struct {
		ID     int
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(line, &answer); err != nil || answer.ID != d.last {
		return fmt.Errorf("%s is not the answer to request %d", line, d.last)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s", answer.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// configure sets up the address as the app does when address and password have been
// entered. Delta Chat has a built-in list of authorities, so it is told to accept the
// certificates of the test's own.
func (d *deltaChat) configure(account int, address string) error {
	return d.call("add_or_update_transport", nil, account, map[string]any{
		"addr": address, "password": password, "certificateChecks": "acceptInvalidCertificates",
	})
}

// TestDeltaChat lets Delta Chat set up an account in each way that it knows.
func TestDeltaChat(t *testing.T) {
	need(t, "deltachat-rpc-server", "dovecot", "postfix")
	const url = "https://firma.example/"
	for name, answered := range map[string]string{
		"https": fromISP("https://autoconfig.firma.example/mail", anna),
		// Only the first URL has the address.
		"well-known only": "GET " + url + ".well-known/autoconfig/mail/config-v1.1.xml → 200 clientConfig",
		// It sends no body, so the domain comes from the Host header.
		"Autodiscover only":             "GET https://autodiscover.firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
		"login that is not the address": fromISP("https://autoconfig.firma.example/mail", anna),
	} {
		w := wayNamed(t, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed(t, func(t *testing.T) { w.setUpDeltaChat(t, answered) })
		})
	}
}

// setUpDeltaChat sets up an account in Delta Chat and checks the logins. answered is a
// line that the journal must have.
func (w way) setUpDeltaChat(t *testing.T, answered string) {
	n := w.start(t, mailbox{w.address, w.login})
	n.mail.await(w.incoming.Port, w.outgoing.Port)
	d := startDeltaChat(t)
	var account int
	if err := d.call("add_account", &account); err != nil {
		t.Fatal(err)
	}
	if err := d.configure(account, w.address); err == nil {
		n.fail("an account", "Delta Chat set up an account while Signpost did not host the domain")
	} else {
		n.checkControl(err.Error())
	}
	n.serve()
	if err := d.configure(account, w.address); err != nil {
		n.fail(err.Error(), "Delta Chat set up no account")
	}
	var info map[string]string
	if err := d.call("get_info", &info, account); err != nil {
		t.Fatal(err)
	}
	got := info["used_transport_settings"]
	for _, want := range []string{
		// Servers from Autodiscover are tried with STARTTLS, too, last.
		fmt.Sprintf(" imap:[%s:%d:tls", w.incoming.Hostname, w.incoming.Port),
		fmt.Sprintf(" smtp:[%s:%d:tls", w.outgoing.Hostname, w.outgoing.Port),
	} {
		if !strings.Contains(got, want) {
			n.fail(got, "the settings of Delta Chat lack%s", want)
		}
	}
	if !n.has(answered) {
		n.fail(got, "the journal lacks %s", answered)
	}
	n.mail.checkIncoming("imap", w.login)
	// It signs in to the outgoing server and disconnects. Postfix logs that without
	// the login name.
	n.mail.awaitLog(n.mail.postfix, "login without a letter", `disconnect from .* ehlo=1 auth=1 commands=2`)
	t.Logf("%s\n%s", got, strings.Join(n.requests(), "\n"))
}

// mixed is a domain with two products, as Mamut has: the ordinary one is IMAP, and
// the account of anna is ActiveSync, which Delta Chat does not speak.
const mixed = `
name: setup.hoster.example
admin: {listen: none}
providers:
  - id: mail
    displayName: Hoster Mail
    domains: [firma.example]
    servers:
      - {type: imap, hostname: in7.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 465, socketType: SSL}
  - id: business
    displayName: Hoster Business
    servers:
      - {type: activesync, url: "https://eas.hoster.example/Microsoft-Server-ActiveSync"}
accounts:
  - list:
      anna@firma.example: {provider: business}
`

// TestDeltaChatRefused checks that Delta Chat, which goes on to URLs without the address
// when it was refused with it, gets no other settings there: neither those of another
// product, nor those of servers that it would sign in to with the address although their
// login is the local part.
func TestDeltaChatRefused(t *testing.T) {
	need(t, "deltachat-rpc-server", "dovecot", "postfix")
	names := []string{"firma.example", "autoconfig.firma.example", "autodiscover.firma.example"}
	for name, h := range map[string]hosting{
		"another product": {
			config: mixed, domain: "firma.example", names: names, more: "firma.example. 60 IN A " + serviceIP,
		},
		"another login": {
			config: withLocalParts, domain: "firma.example", entered: `^autodiscover\.`, names: names,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed(t, h.refuseDeltaChat)
		})
	}
}

// refuseDeltaChat lets Delta Chat try to set up anna's account. The mail server accepts
// her address as a login, so nothing but the settings can keep Delta Chat away. For
// comparison, it then sets up an account with those settings in the same way.
func (h hosting) refuseDeltaChat(t *testing.T) {
	h.control = hoster(hostsFirma, "")
	n := h.start(t, mailbox{anna, anna})
	n.mail.await(imap.Port, smtp.Port)
	n.service.reload(h.config + n.listen)
	d := startDeltaChat(t)
	var account int
	if err := d.call("add_account", &account); err != nil {
		t.Fatal(err)
	}
	err := d.configure(account, anna)
	if err == nil {
		n.fail("an account", "Delta Chat set up an account with other settings than its own")
	}
	n.checkControl(err.Error())
	if text := logText(n.mail.dovecot); strings.Contains(text, "user=<anna") {
		n.fail(err.Error(), "Delta Chat signed in: %s", text)
	}
	if len(n.requests()) == 0 {
		n.fail(err.Error(), "Delta Chat asked for nothing")
	}
	asked := strings.Join(n.requests(), "\n")
	n.service.reload(h.control + n.listen)
	if err := d.configure(account, anna); err != nil {
		n.fail(err.Error(), "Delta Chat set up no account where it has the ordinary product")
	}
	t.Logf("%v\n%s", err, asked)
}
