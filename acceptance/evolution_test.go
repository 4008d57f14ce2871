package acceptance

import (
	"bufio"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestEvolution sends the requests of Evolution 3.46 as its libevolution-mail.so writes
// them: a placeholder in place of the mailbox, and the MD5 sum of the address in lower
// case. Evolution itself needs a desktop. It completes the placeholders of the answer with
// the address, and sets up the servers without a question, so the answer must be that of
// the account.
func TestEvolution(t *testing.T) {
	need(t, "dovecot", "postfix")
	closed(t, func(t *testing.T) {
		n := hosting{
			config: strings.Replace(mixed, "{provider: business}\n", "{provider: business}\n"+
				"      bo@firma.example: {username: u67578}\n", 1),
			control: hoster(hostsAnother, ""), domain: "firma.example", names: []string{"autoconfig.firma.example"},
		}.start(t)
		n.serve()
		for _, test := range []struct {
			address string
			status  int
			login   string
		}{
			{"anna@firma.example", http.StatusNotFound, ""}, // has another product, which Evolution does not speak
			{"Bo@Firma.example", http.StatusOK, "u67578"},
			{"carl@firma.example", http.StatusOK, "%EMAILADDRESS%"},
		} {
			_, domain, _ := strings.Cut(test.address, "@")
			path := fmt.Sprintf("/mail/config-v1.1.xml?emailaddress=EVOLUTIONUSER%%40%s&emailmd5=%x", domain,
				md5.Sum([]byte(strings.ToLower(test.address))))
			status, body := n.ask(t, "autoconfig.firma.example", path)
			if status != test.status {
				t.Errorf("GET %s for %s = %d, want %d\n%s", path, test.address, status, test.status, body)
			}
			if want := "<username>" + test.login + "</username>"; test.login != "" && strings.Count(body, want) != 2 {
				t.Errorf("the answer for %s has not two times %s:\n%s", test.address, want, body)
			}
			if strings.Contains(strings.ToLower(body), strings.ToLower(test.address)) {
				t.Errorf("the answer tells the address of the MD5 sum, %s:\n%s", test.address, body)
			}
		}
	})
}

// ask sends a GET by https with the header fields of Evolution, octet for octet.
func (n *network) ask(t *testing.T, host, path string) (status int, body string) {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AddCert(n.ca.cert)
	conn, err := tls.Dial("tcp", serviceIP+":443", &tls.Config{RootCAs: trusted, ServerName: host})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Evolution/3.46.4\r\n"+
		"Accept-Encoding: gzip, deflate\r\nConnection: Keep-Alive\r\n\r\n", path, host)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
