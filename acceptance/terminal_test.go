package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// terminal is a program in a terminal of tmux, whose screen can be read as text.
type terminal struct {
	t    *testing.T
	fail func(ended, format string, args ...any)
}

func startTerminal(t *testing.T, fail func(ended, format string, args ...any), command string) *terminal {
	t.Helper()
	term := &terminal{t, fail}
	term.tmux("new-session", "-d", "-x", "120", "-y", "50", command)
	t.Cleanup(func() { exec.Command("tmux", "-S", work+"/tmux", "kill-server").Run() })
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := tmux(args...)
	if err != nil {
		term.t.Fatal(err)
	}
	return out
}

// tmux sends a command to the terminals.
func tmux(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-S", work + "/tmux"}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "SHELL=/bin/sh")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// screen returns the text on the screen.
func (term *terminal) screen() string {
	term.t.Helper()
	return term.tmux("capture-pane", "-p")
}

// reversed matches the text under the cursor of a full-screen program.
var reversed = regexp.MustCompile(`\x1b\[7m([^\x1b]*)`)

// until waits until the screen contains the text.
func (term *terminal) until(text string) {
	term.t.Helper()
	term.wait("the screen does not show "+text, func() bool { return strings.Contains(term.screen(), text) })
}

// keyUntil presses a key again and again until the screen contains the text.
func (term *terminal) keyUntil(name, text string) {
	term.t.Helper()
	term.repeat(name, "the screen does not show "+text, func() bool {
		return strings.Contains(term.screen(), text)
	})
}

// press moves to a button with Tab and presses it.
func (term *terminal) press(button string) {
	term.t.Helper()
	term.repeat("Tab", "Tab does not lead to the button "+button, func() bool {
		for _, match := range reversed.FindAllStringSubmatch(term.tmux("capture-pane", "-e", "-p"), -1) {
			if match[1] == button {
				return true
			}
		}
		return false
	})
	term.key("Enter")
}

// repeat presses a key again and again until done. Between two keys the program has
// time to redraw the screen.
func (term *terminal) repeat(name, problem string, done func() bool) {
	term.t.Helper()
	checks := 0
	term.wait(problem, func() bool {
		if done() {
			return true
		}
		if checks++; checks%6 == 0 {
			term.key(name)
		}
		return false
	})
}

// wait polls until done reports true, and fails with the problem after stepTimeout.
func (term *terminal) wait(problem string, done func() bool) {
	term.t.Helper()
	for deadline := time.Now().Add(stepTimeout); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			term.fail("this screen: "+term.screen(), "%s", problem)
		}
	}
}

// key presses a key by its name in tmux.
func (term *terminal) key(name string) { term.tmux("send-keys", name) }

// write enters text.
func (term *terminal) write(text string) { term.tmux("send-keys", "-l", text) }

// picture saves the screen among the artefacts.
func (term *terminal) picture(name string) {
	term.t.Helper()
	dir := filepath.Join("..", ".artefacts", "acceptance")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".txt"), []byte(term.screen()), 0o644)
	}
	if err != nil {
		term.t.Errorf("saving the screen: %v", err)
	}
}
