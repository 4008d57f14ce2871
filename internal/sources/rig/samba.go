package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// sambaPassword is what Active Directory takes for a password.
const sambaPassword = "Sign-Post-1"

var samba struct {
	sync.Mutex
	server *Server
}

// Samba returns the domain CORP.TEST of a Samba Active Directory domain controller, with
// the people of samba.ldif and an ordinary user who reads. The first call makes the domain,
// which takes about ten seconds. The test is skipped unless it runs as root: the ports are
// fixed. They are those of an address in 127.0.0.0/8 that no other test binary has.
func Samba(t testing.TB) *Directory {
	t.Helper()
	samba.Lock()
	defer samba.Unlock()
	if samba.server == nil {
		samba.server = startSamba(t)
	}
	const suffix = "dc=corp,dc=test"
	return &Directory{
		Server: samba.server, Preset: "activedirectory", Suffix: suffix,
		URI:          "ldap://" + samba.server.host + "/" + suffix,
		BindDN:       "signpost@CORP.TEST",
		PasswordFile: Write(t, Folder(t, "password", ""), "password", sambaPassword+"\n"),
	}
}

func startSamba(t testing.TB) *Server {
	t.Helper()
	program, tool, modify := Tool(t, "samba"), Tool(t, "samba-tool"), Tool(t, "ldapmodify")
	if os.Geteuid() != 0 {
		t.Skip("a domain controller has ports that only root can have")
	}
	folder := Folder(t, "dc", "")
	id := os.Getpid()
	host := fmt.Sprintf("127.%d.%d.2", 16+id>>8%200, id%256)
	only := []string{"--option=bind interfaces only=yes", "--option=interfaces=" + host + "/8"}
	Run(t, "", "", tool, append([]string{"domain", "provision", "--realm=CORP.TEST", "--domain=CORP",
		"--adminpass=" + sambaPassword, "--server-role=dc", "--dns-backend=NONE", "--targetdir=" + folder,
		"--option=vfs objects="}, only...)...)
	settings := filepath.Join(folder, "etc/smb.conf")
	Run(t, "", "", tool, "user", "create", "signpost", sambaPassword, "-s", settings)
	s := &Server{Scheme: "ldap", Port: "389", host: host, ready: "process model", quit: syscall.SIGKILL}
	s.command = func() *exec.Cmd {
		return exec.Command(program, append([]string{"-F", "-M", "single", "-d", "3", "--debug-stdout", "-s", settings,
			"--option=server services=ldap", "--option=ldap server require strong auth=no",
			"--option=pid directory=" + folder}, only...)...)
	}
	s.administer = func(t testing.TB, _, ldif string) string {
		return Run(t, "", ldif, modify, "-a", "-x", "-H", "ldap://"+host,
			"-D", "administrator@CORP.TEST", "-w", sambaPassword)
	}
	if s.first(t) == nil {
		t.Fatal("the domain controller does not start")
	}
	s.administer(t, "", Text(t, "samba.ldif"))
	return s
}
