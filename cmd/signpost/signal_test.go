package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// TestSecondInterrupt stops the service while a request is incomplete. The first
// SIGINT waits for the rest of the request, the second one ends the program.
func TestSecondInterrupt(t *testing.T) {
	folder := prepare(t, "limits: {stop: 60s, read: 60s}")
	r := startServe(t, folder, nil)
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\n"+
		"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the service now waits for the body
		t.Fatal(err)
	}
	r.signal(t, syscall.SIGINT)
	r.says(t, regexp.MustCompile(`msg="stopping, finishing requests in flight"`))
	patience := time.After(20 * time.Second)
	for {
		// Again, as the first may be handled still. The program may have ended since.
		if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
				t.Errorf("the program ended with %v, want the signal SIGINT", err)
			}
			return
		case <-patience:
			t.Fatal("the program ignores a second SIGINT")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
