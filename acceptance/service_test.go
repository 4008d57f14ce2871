package acceptance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/config"
	"signpost/directory"
	"signpost/records"
)

// service is the real program, `signpost serve`.
type service struct {
	address string
	log     *lines
}

// startService runs the program with the configuration until the test ends.
func startService(t *testing.T, name, configuration string) *service {
	t.Helper()
	file := writeFile(t, name+".yaml", configuration)
	s := &service{log: &lines{}}
	cmd := exec.Command(os.Getenv(insideVariable), "serve", "-config", file, "-listen", "127.0.0.1:0")
	cmd.Stderr = s.log
	ended := run(t, cmd)
	match := s.log.await(regexp.MustCompile(`msg=listening address=(\S+)`), 10*time.Second, ended)
	if match == nil {
		t.Fatalf("signpost serve does not listen:\n%s", s.log)
	}
	s.address = match[1]
	return s
}

// published is the zone text that the command prints for a domain of the
// configuration.
func published(t *testing.T, configuration, domain string) string {
	t.Helper()
	c, err := config.Load(writeFile(t, "records.yaml", configuration))
	if err != nil {
		t.Fatal(err)
	}
	guide := records.New(records.Options{Name: c.Name, Digest: func(s account.Settings) (string, error) {
		document, err := autoconfig.PACC(s)
		if err != nil {
			return "", err
		}
		return autoconfig.Digest(document), nil
	}})
	settings, err := directory.New(c.Providers, c.Accounts, nil).Resolve(context.Background(), account.Query{Address: account.AnyAt(domain)})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	writer, err := records.NewWriter(&text, "zone")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(guide.For(settings)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
