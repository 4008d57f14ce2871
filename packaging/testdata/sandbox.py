"""Runs a program with the system calls and address families that a unit allows:

    sandbox.py UNIT PROGRAM ARGUMENT…

"sandbox.py try", run in the sandbox, does what is forbidden in it. The module
seccomp is Debian's python3-seccomp."""

import errno
import mmap
import os
import socket
import subprocess
import sys


def directives(unit):
    """The unit's directives, each with all its values."""
    found = {}
    for line in open(unit):
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def members(group):
    """The system calls of one of systemd's groups."""
    out = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True, capture_output=True, text=True).stdout
    calls = set()
    for line in out.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            calls |= members(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def allowed(filters):
    """The system calls that are left by SystemCallFilter=, in its order."""
    calls = members("@default")  # as systemd always adds to a list of what is allowed
    for value in filters:
        words = value.removeprefix("~").split()
        named = set().union(*(members(w) if w.startswith("@") else {w} for w in words))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def restrict(unit):
    import seccomp

    d = directives(unit)
    assert d["SystemCallErrorNumber"] == ["EPERM"] and d["MemoryDenyWriteExecute"] == ["yes"]
    f = seccomp.SyscallFilter(defaction=seccomp.ERRNO(errno.EPERM))
    special = {"socket", "mmap", "mprotect", "pkey_mprotect", "shmat"}
    for call in sorted(allowed(d["SystemCallFilter"]) - special):
        try:
            f.add_rule(seccomp.ALLOW, call)
        except Exception:  # not of this architecture, or newer than the library
            pass
    for family in " ".join(d["RestrictAddressFamilies"]).split():
        f.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, getattr(socket, family)))
    both = mmap.PROT_WRITE | mmap.PROT_EXEC
    for protection in (0, mmap.PROT_WRITE, mmap.PROT_EXEC):
        f.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, protection))
    f.add_rule(seccomp.ALLOW, "mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, mmap.PROT_EXEC, 0))
    f.load()


def try_all():
    """Prints what is refused. Whatever is not ends the program."""

    def connect():
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)

    for name, forbidden in {
        "writing /usr": lambda: open("/usr/bin/forbidden", "w"),
        "writing /etc/signpost": lambda: open("/etc/signpost/forbidden", "w"),
        "another family": connect,
        "writable code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
        "another user": lambda: os.setuid(0),
        "changing the root": lambda: os.chroot("/tmp"),
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    }.items():
        try:
            forbidden()
        except OSError as e:
            print(name, errno.errorcode[e.errno], end="; ")
        else:
            sys.exit(name + " is not refused")
    with open("/var/lib/signpost/allowed", "w"):
        os.remove("/var/lib/signpost/allowed")
    print("the state can be written")


if __name__ == "__main__":
    if sys.argv[1] == "try":
        try_all()
    else:
        restrict(sys.argv[1])
        os.execv(sys.argv[2], sys.argv[2:])
