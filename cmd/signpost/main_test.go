package main

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"signpost/internal/sources/rig"
)

// asSignpost is the environment variable that makes the test binary run signpost.
const asSignpost = "SIGNPOST_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asSignpost) != "" {
		main()
	}
	if file := os.Getenv(bareAnswer); file != "" {
		serveBare(file)
	}
	if file := os.Getenv(bareTLSAnswer); file != "" {
		serveBareTLS(file)
	}
	testscript.Main(rig.Tests{M: m}, map[string]func(){"signpost": main})
}

// TestScripts runs the command as people enter it.
func TestScripts(t *testing.T) {
	systems, err := filepath.Abs("../../testdata/config")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_GOLDEN") == "1",
		Setup: func(e *testscript.Env) error {
			return os.CopyFS(e.WorkDir, os.DirFS(systems))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"sqlite": makeDatabase},
	})
}

// makeDatabase is the command "sqlite FILE SCRIPT" of the scripts. It makes a database.
func makeDatabase(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0])) // the driver of package sqldb
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(ts.ReadFile(args[1]))
	ts.Check(err)
}

// output collects what a command writes while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// reset discards what has been written so far.
func (o *output) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Reset()
}

var listening = regexp.MustCompile(`msg=listening address=(\S+)`)

// TestServe starts the service in this process, sends a request and stops it.
func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var stderr output
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, env{strings.NewReader(""), io.Discard, &stderr}, []string{
			"serve", "-config", "../../testdata/config/mamut.yaml", "-listen", "127.0.0.1:0",
		})
	}()
	var address string
	for address == "" {
		select {
		case got := <-status:
			t.Fatalf("serve returned %d before it listened:\n%s", got, stderr.String())
		case <-time.After(time.Millisecond):
		}
		if match := listening.FindStringSubmatch(stderr.String()); match != nil {
			address = match[1]
		}
	}
	request, err := http.NewRequest("GET", "http://"+address+"/mail/config-v1.1.xml?emailaddress=info@domain.se", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "autoconfig.domain.se"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), "<hostname>mamutmail.com</hostname>") {
		t.Errorf("GET config-v1.1.xml = %s, want 200 with mamutmail.com:\n%s", response.Status, body)
	}
	stop()
	if got := <-status; got != 0 {
		t.Errorf("serve returned %d after its context was done, want 0:\n%s", got, stderr.String())
	}
}

// fullDisk fails every write.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestUnwrittenDocument checks that show fails if its document could not be written.
func TestUnwrittenDocument(t *testing.T) {
	for _, kind := range [][]string{{"-client", "thunderbird"}, {"-json"}, nil} {
		var stderr output
		args := append([]string{"show", "-config", "../../testdata/config/small.yaml", "anna@example.se"}, kind...)
		status := run(t.Context(), env{strings.NewReader(""), fullDisk{}, &stderr}, args)
		if status != 1 || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("signpost %q on a full disk: exit status %d and %q, want 1 and the reason",
				args, status, stderr.String())
		}
	}
}
