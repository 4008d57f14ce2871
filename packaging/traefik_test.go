package packaging

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// traefik has the keys of Traefik's configuration that the files here use, as its reference
// names them; the first two are of traefik.yaml, the others of the file that it names. Debian
// has no Traefik that a test could run: the files were tried by hand.
type traefik struct {
	EntryPoints map[string]struct {
		Address         string
		AllowACMEByPass bool `yaml:"allowACMEByPass"`
	} `yaml:"entryPoints"`
	Providers struct{ File struct{ Filename string } }
	Log       struct{ Level string }

	TCP, HTTP traefikSide
	TLS       struct {
		Certificates []struct {
			CertFile string `yaml:"certFile"`
			KeyFile  string `yaml:"keyFile"`
		}
	}
}

// traefikSide is what Traefik passes on: TCP or HTTP.
type traefikSide struct {
	Routers map[string]struct {
		EntryPoints   []string `yaml:"entryPoints"`
		Rule, Service string
		Middlewares   []string
		TLS           struct{ Passthrough bool }
	}
	Middlewares map[string]struct {
		Retry   struct{ Attempts int }
		Headers struct {
			CustomRequestHeaders map[string]string `yaml:"customRequestHeaders"`
		}
	}
	Services map[string]struct {
		LoadBalancer struct {
			Servers          []struct{ Address, URL string }
			ServersTransport string       `yaml:"serversTransport"`
			HealthCheck      traefikCheck `yaml:"healthCheck"`
		} `yaml:"loadBalancer"`
	}
	ServersTransports map[string]struct {
		DialTimeout        time.Duration         `yaml:"dialTimeout"`
		ProxyProtocol      struct{ Version int } `yaml:"proxyProtocol"`
		ForwardingTimeouts struct {
			DialTimeout     time.Duration `yaml:"dialTimeout"`
			IdleConnTimeout time.Duration `yaml:"idleConnTimeout"`
		} `yaml:"forwardingTimeouts"`
	} `yaml:"serversTransports"`
}

// traefikCheck is how Traefik learns that a machine is ready.
type traefikCheck struct {
	Path, Send, Expect string
	Port               int
	Interval, Timeout  time.Duration
}

// readTraefik reads a file strictly.
func readTraefik(t *testing.T, file string) (c traefik) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

// TestTraefikNames looks up what the files name: entry points, services, middlewares and
// transports. Traefik drops a router with a name that leads nowhere, and goes on.
func TestTraefikNames(t *testing.T) {
	static := readTraefik(t, "traefik.yaml")
	for file, side := range map[string]traefikSide{
		"traefik-tcp.yaml":  readTraefik(t, "traefik-tcp.yaml").TCP,
		"traefik-http.yaml": readTraefik(t, "traefik-http.yaml").HTTP,
	} {
		reached := map[string]bool{}
		for name, router := range side.Routers {
			for _, entry := range router.EntryPoints {
				if _, ok := static.EntryPoints[entry]; !ok {
					t.Errorf("%s: router %s names the entry point %q, which traefik.yaml lacks", file, name, entry)
				}
				reached[entry] = true
			}
			for _, middleware := range router.Middlewares {
				if _, ok := side.Middlewares[middleware]; !ok {
					t.Errorf("%s: router %s names the middleware %q, which is not there", file, name, middleware)
				}
			}
			if _, ok := side.Services[router.Service]; !ok {
				t.Errorf("%s: router %s names the service %q, which is not there", file, name, router.Service)
			}
		}
		if len(reached) != len(static.EntryPoints) {
			t.Errorf("%s: routers for the entry points %v, want all %d of traefik.yaml",
				file, reached, len(static.EntryPoints))
		}
		for name, service := range side.Services {
			if _, ok := side.ServersTransports[service.LoadBalancer.ServersTransport]; !ok {
				t.Errorf("%s: service %s names the transport %q, which is not there",
					file, name, service.LoadBalancer.ServersTransport)
			}
			if len(service.LoadBalancer.Servers) != 2 {
				t.Errorf("%s: service %s has the servers %v, want two", file, name, service.LoadBalancer.Servers)
			}
		}
	}
}

// TestTraefikCheck asks the admin listener as Traefik does for what it passes TCP to: it sends
// bytes, reads as many as it expects at once, and compares them. A machine that is told to stop
// fails the check for as long as it drains.
func TestTraefikCheck(t *testing.T) {
	p := &proxied{behind: freeAddress(t), admin: freeAddress(t)}
	m := p.startMachine(t, shortDir(t), 1)
	services := readTraefik(t, "traefik-tcp.yaml").TCP.Services
	check := services["https"].LoadBalancer.HealthCheck
	if check.Interval != time.Second || check != services["http"].LoadBalancer.HealthCheck {
		t.Errorf("the services have the checks %+v and %+v, want the same each second",
			check, services["http"].LoadBalancer.HealthCheck)
	}
	if err := check.ask(m.admin); err != nil {
		t.Errorf("a machine that is ready: %v", err)
	}
	m.cmd.Process.Signal(syscall.SIGTERM)
	defer m.cmd.Process.Wait()
	for deadline := time.Now().Add(time.Second); check.ask(m.admin) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a machine that was told to stop is still ready after a second")
		}
	}
	if err := check.ask(m.admin); err == nil || !strings.Contains(err.Error(), " 503") {
		t.Errorf("a machine that was told to stop: %v, want status 503", err)
	}
}

func (c traefikCheck) ask(admin string) error {
	conn, err := net.DialTimeout("tcp", admin, c.Timeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(c.Timeout))
	if _, err := conn.Write([]byte(c.Send)); err != nil {
		return err
	}
	answer := make([]byte, len(c.Expect))
	if n, err := conn.Read(answer); string(answer) != c.Expect {
		return fmt.Errorf("answered %s (%v), want %s", strconv.Quote(string(answer[:n])), err, strconv.Quote(c.Expect))
	}
	return nil
}
