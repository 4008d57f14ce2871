package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

const (
	// maxText is the most that a program may print, and a file that is named may hold.
	maxText = 16 << 20
	// patience is how long a program may take.
	patience = 10 * time.Second
)

// folders are where the programs are, beside PATH: an ordinary user's has no sbin.
var folders = []string{"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/local/sbin"}

// run returns what the programs print.
func (p Programs) run(ctx context.Context) ([]Text, error) {
	var commands [][]string
	if p.Postfix {
		// -x would expand $name with the values of main.cf, and an option of a
		// service may set another one.
		commands = append(commands, []string{"postconf"}, []string{"postconf", "-M"})
	}
	if p.Dovecot {
		commands = append(commands, []string{"doveconf", "-n"})
	}
	var texts []Text
	for _, command := range commands {
		data, err := output(ctx, command)
		if err != nil {
			return nil, err
		}
		texts = append(texts, Text{strings.Join(command, " "), data, true})
	}
	return texts, nil
}

// output returns what one program prints.
func output(ctx context.Context, command []string) ([]byte, error) {
	name := strings.Join(command, " ")
	path, err := find(command[0])
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, command[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	stdout, stderr := &limited{most: maxText, stop: cancel}, &limited{most: 4096}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	switch {
	case stdout.over:
		return nil, fmt.Errorf("%s: it prints more than %d MiB", name, maxText>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s: it has not ended after %v", name, patience)
	case err != nil:
		err = fmt.Errorf("%s: %w%s", name, err, lastWords(stderr.kept))
		if os.Geteuid() != 0 {
			return nil, fault.WithHint(err, "run it as root, with sudo")
		}
		return nil, err
	case len(bytes.TrimSpace(stdout.kept)) == 0:
		return nil, fmt.Errorf("%s: it prints nothing%s", name, lastWords(stderr.kept))
	}
	return stdout.kept, nil
}

// find returns the path of a program.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, folder := range folders {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	server := map[string]string{"postconf": "Postfix", "doveconf": "Dovecot"}[name]
	return "", fault.WithHint(fmt.Errorf("%s is neither in PATH nor in %s: is %s on this machine?",
		name, strings.Join(folders, ", "), server),
		"if "+server+" is in a container or on another machine, save what "+name+" prints there, and import the file")
}

// lastWords returns the last line of what a program complained of, for a message.
func lastWords(stderr []byte) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(stderr), "?")), "\n")
	last := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, lines[len(lines)-1])
	if last == "" {
		return ""
	}
	if len(last) > 300 {
		last = strings.ToValidUTF8(last[:300], "") + " …"
	}
	return ": " + last
}

// limited keeps the first bytes that are written to it.
type limited struct {
	kept []byte
	most int
	over bool
	stop func() // what writes, or nil
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	room := l.most - len(l.kept)
	l.kept = append(l.kept, p[:min(len(p), room)]...)
	if len(p) > room {
		l.over = true
		if l.stop != nil {
			l.stop()
		}
	}
	return len(p), nil
}

// ofThisMachine reads a file of this machine.
func ofThisMachine(path string) ([]byte, error) { return regular.Read(path, maxText) }
