package acceptance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// labDeltaChat is one process of Delta Chat that sets up many accounts at the same time. Its
// list of authorities has that of the laboratory in it, so it is as strict as its people
// have it.
type labDeltaChat struct {
	in io.Writer

	mu      sync.Mutex
	last    int
	waiting map[int]chan deltaAnswer
}

type deltaAnswer struct {
	ID     int
	Result json.RawMessage
	Error  *struct{ Message string }
}

func startLabDeltaChat(t *testing.T, ca *authority) *labDeltaChat {
	t.Helper()
	accounts, err := os.MkdirTemp(work, "deltachat")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(ca.trusting(t, "deltachat-rpc-server"))
	cmd.Env = append(os.Environ(), "DC_ACCOUNTS_PATH="+accounts+"/new", "RUST_LOG=error")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, pipe := io.Pipe()
	cmd.Stdout = pipe
	ended := run(t, cmd)
	go func() {
		<-ended
		pipe.Close()
	}()
	d := &labDeltaChat{in: in, waiting: map[int]chan deltaAnswer{}}
	go d.read(bufio.NewReader(out))
	return d
}

// read hands each answer to who waits for it.
func (d *labDeltaChat) read(out *bufio.Reader) {
	for {
		line, err := out.ReadBytes('\n')
		if err != nil {
			return
		}
		var answer deltaAnswer
		if json.Unmarshal(line, &answer) != nil {
			continue
		}
		d.mu.Lock()
		waiting := d.waiting[answer.ID]
		delete(d.waiting, answer.ID)
		d.mu.Unlock()
		if waiting != nil {
			waiting <- answer
		}
	}
}

// call calls a method and waits for its result until the time is up.
func (d *labDeltaChat) call(limit time.Duration, method string, result any, parameters ...any) error {
	answered := make(chan deltaAnswer, 1)
	d.mu.Lock()
	d.last++
	d.waiting[d.last] = answered
	request, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": d.last, "method": method, "params": append([]any{}, parameters...),
	})
	if err == nil {
		_, err = d.in.Write(append(request, '\n'))
	}
	d.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case answer := <-answered:
		if answer.Error != nil {
			return fmt.Errorf("%s", answer.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(answer.Result, result)
	case <-time.After(limit):
		return fmt.Errorf("no answer within %v", limit)
	}
}

// judge sets up an account for each address, several at a time. The source is the last URL
// that was asked, as Delta Chat stops at the first that it takes.
func (d *labDeltaChat) judge(t *testing.T, web *labWeb, atOnce int, all ...subject) map[string]judged {
	var mu sync.Mutex
	seen := map[string]judged{}
	places := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for _, s := range all {
		group.Add(1)
		go func() {
			defer group.Done()
			places <- struct{}{}
			defer func() { <-places }()
			j := d.setUp(s.address())
			j.Source = web.takenBy("Delta Chat", s.domain)
			if j.Source == "" && j.Incoming.Hostname != "" {
				j.Source = "guess"
			}
			mu.Lock()
			seen[s.address()] = j
			mu.Unlock()
		}()
	}
	group.Wait()
	return seen
}

// setUp sets up an account and reads which servers it has.
func (d *labDeltaChat) setUp(address string) judged {
	began := time.Now()
	j := judged{}
	var account int
	err := d.call(20*time.Second, "add_account", &account)
	if err == nil {
		err = d.call(labTimeout/2, "add_or_update_transport", nil, account, map[string]any{
			"addr": address, "password": password, "certificateChecks": "automatic",
		})
	}
	j.Seconds = time.Since(began).Seconds()
	if err != nil {
		j.Failed = err.Error()
		return j
	}
	var info map[string]string
	if err := d.call(20*time.Second, "get_info", &info, account); err != nil {
		j.Failed = err.Error()
		return j
	}
	for _, kind := range []string{"imap", "smtp"} {
		j.Candidates = append(j.Candidates, deltaServers(kind, info["used_transport_settings"])...)
	}
	for _, s := range j.Candidates {
		if s.Type == "imap" && j.Incoming == (server{}) {
			j.Incoming = s
		} else if s.Type == "smtp" && j.Outgoing == (server{}) {
			j.Outgoing = s
		}
	}
	if j.Incoming == (server{}) {
		j.Failed = info["used_transport_settings"]
	}
	return j
}

// deltaServers reads the servers of a type from Delta Chat's line about an account, such as
// imap:[a.example:993:tls, b.example:143:starttls].
func deltaServers(kind, settings string) []server {
	_, list, _ := strings.Cut(settings, kind+":[")
	list, _, _ = strings.Cut(list, "]")
	var servers []server
	for _, text := range strings.Split(list, ", ") {
		parts := strings.Split(text, ":")
		if len(parts) != 3 {
			continue
		}
		port, _ := strconv.Atoi(parts[1])
		security := map[string]string{"tls": "SSL", "starttls": "STARTTLS", "plain": "plain"}[parts[2]]
		servers = append(servers, server{kind, parts[0], port, security, ""})
	}
	return servers
}

// takenBy returns the URL, without the query, of the last answer of a domain's web servers to
// a client, if that was a document with settings.
func (l *labWeb) takenBy(who, domain string) string {
	for _, line := range slices.Backward(l.journal.list()) {
		rest, ok := strings.CutPrefix(line, who+": ")
		request, answer, _ := strings.Cut(rest, " → ")
		_, url, _ := strings.Cut(request, " ")
		_, place, _ := strings.Cut(url, "://")
		host, path, _ := strings.Cut(place, "/")
		if !ok || host != domain && !strings.HasSuffix(host, "."+domain) && !strings.HasSuffix(path, "/"+domain) {
			continue
		}
		if strings.HasPrefix(answer, "200 clientConfig") || strings.HasPrefix(answer, "200 Autodiscover") {
			return url
		}
		return ""
	}
	return ""
}
