"""Attacks from inside on the kernel: calls, namespaces, devices, privileges, limits."""

from __future__ import annotations

from tests.attacks.attempt import Attack

CALLS = "system call filter"
NO_CAPS = "no capabilities, no root"
NO_USERNS = "no further user namespaces"
DEVICES = "a /dev of its own"
PROC = "/proc covered, /proc/sys read-only"
LIMITS = "limits that only shrink"

KERNEL_ATTACKS = (
    Attack("trace process 1", CALLS, "if call(101, 117, 16, 1, 0, 0) == 0: mark()"),
    Attack("ask to be traced", CALLS, "if call(101, 117, 0, 0, 0, 0) == 0: mark()", control=True),
    Attack(
        "read memory across processes",
        CALLS,
        """
buffer = ctypes.create_string_buffer(8)
piece = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
if call(310, 270, os.getpid(), piece, 1, piece, 1, 0) > 0:
    mark()
""",
        control=True,
    ),
    Attack(
        "take a descriptor from another process",
        CALLS,
        """
for pid in (1, os.getppid()):
    other = call(434, 434, pid, 0)
    if other >= 0 and call(438, 438, other, 0, 0) >= 0:
        mark(pid)
""",
        control=True,
    ),
    Attack("session keyring", CALLS, "if let_through(call(250, 219, 0, -3, 0)): mark()", control=True),
    Attack("add a key", CALLS, "if let_through(call(248, 217, b'user', b'x', b'y', 1, -2)): mark()", control=True),
    Attack("request a key", CALLS, "if let_through(call(249, 218, b'user', b'x', 0, -2)): mark()", control=True),
    Attack(
        "io_uring",
        CALLS,
        """
if let_through(call(425, 425, 1, ctypes.create_string_buffer(256))):
    mark()
""",
    ),
    Attack("bpf", CALLS, "if let_through(call(321, 280, 0, 0, 0)): mark()"),
    Attack("performance events", CALLS, "if let_through(call(298, 241, 0, 0, -1, -1, 0)): mark()"),
    Attack("page faults handled in user space", CALLS, "if let_through(call(323, 282, 1)): mark()"),
    Attack("watching whole file systems", CALLS, "if let_through(call(300, 262, 0, 0)): mark()"),
    Attack("opening files by handle", CALLS, "if let_through(call(304, 265, -100, 0, 0)): mark()"),
    Attack("loading a module", CALLS, "if let_through(call(313, 273, -1, b'', 0)): mark()"),
    Attack("another kernel", CALLS, "if let_through(call(246, 104, 0, 0, 0, 0)): mark()"),
    Attack("restart of the machine", CALLS, "if let_through(call(169, 142, 1, 2, 3, 0)): mark()"),
    Attack("kernel log", CALLS, "if let_through(call(103, 116, 10, 0, 0)): mark()"),
    Attack(
        "swap and accounting",
        CALLS,
        "if let_through(call(167, 224, b'/x', 0)) or let_through(call(163, 89, 0)): mark()",
    ),
    Attack("mount a file system", CALLS, "if call(165, 40, b'x', b'/tmp', b'tmpfs', 0, 0) == 0: mark()"),
    Attack("remount the root writable", CALLS, "if call(165, 40, 0, b'/', 0, 0x1020, 0) == 0: mark()"),
    Attack(
        "take away a cover",
        CALLS,
        "for path in (b'/proc/sys', b'/workspace'):\n    if call(166, 39, path, 2) == 0: mark(path)",
    ),
    Attack(
        "the new ways to mount",
        CALLS,
        """
if let_through(call(428, 428, -100, b"/", 1)) or let_through(call(430, 430, b"tmpfs", 0)):
    mark()
if let_through(call(442, 442, -100, b"/", 0, 0, 0)) or let_through(call(429, 429, -1, b"", -100, b"/tmp", 4)):
    mark()
""",
    ),
    Attack("another root", NO_CAPS, "if tried(lambda: os.chroot('/tmp') or True): mark()", control=True),
    Attack("pivot the root", CALLS, "if call(155, 41, b'/tmp', b'/tmp') == 0: mark()"),
    Attack(
        "unshare a user namespace",
        NO_USERNS,
        "in_child(lambda: call(272, 97, 0x10000000) == 0 and mark())",
        control=True,
    ),
    Attack(
        "unshare every other namespace",
        NO_CAPS,
        """
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000):
    in_child(lambda: call(272, 97, flag) == 0 and mark(hex(flag)))
""",
        control=True,
    ),
    Attack(
        "clone into a user namespace",
        NO_USERNS,
        """
child = call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)
if child == 0: os._exit(0)
if child > 0: os.waitpid(child, 0); mark()
""",
        control=True,
    ),
    Attack(
        "clone3, whose flags no filter can read",
        CALLS,
        """
asked = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
child = call(435, 435, asked, 88)
if child == 0: os._exit(0)
if child > 0: os.waitpid(child, 0); mark()
""",
        control=True,
    ),
    Attack(
        "enter the namespaces of process 1",
        CALLS,
        """
for name in ("user", "mnt", "net", "pid", "ipc", "uts", "cgroup"):
    found = tried(os.open, f"/proc/1/ns/{name}", os.O_RDONLY)
    if found is not None and call(308, 268, found, 0) == 0: mark(name)
""",
    ),
    Attack(
        "map itself to root",
        NO_USERNS,
        """
for name, line in (("setgroups", "allow"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
    if written(f"/proc/self/{name}", line): mark(name)
""",
    ),
    Attack(
        "become root",
        NO_CAPS,
        """
for name in ("setuid", "seteuid", "setgid", "setegid"):
    if tried(lambda: getattr(os, name)(0) or True): mark(name)
if tried(lambda: os.setgroups([0]) or True): mark("groups")
""",
        control=True,
    ),
    Attack(
        "gain privileges by running a program",
        "no new privileges",
        """
if LIBC.prctl(39, 0, 0, 0, 0) != 1: mark("new privileges")
for program in ("su", "sudo", "mount", "pkexec", "newuidmap"):
    for path in (f"/usr/bin/{program}", f"/bin/{program}"):
        if os.path.exists(path) and os.stat(path).st_mode & stat.S_ISUID:
            said = subprocess.run([path, "-c", "id -u"], capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
            if said.stdout.strip() == b"0": mark(path)
""",
        control=True,
    ),
    Attack(
        "raise capabilities",
        NO_CAPS,
        """
for number in range(41):
    if LIBC.prctl(47, 2, number, 0, 0) == 0 or LIBC.prctl(23, number, 0, 0, 0) == 1: mark(number)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
if call(126, 91, header, data) == 0: mark("set")
""",
    ),
    Attack(
        "set-user-id bit by every call that sets a mode",
        CALLS,
        """
open("bit", "w").close()
here = os.open("bit", os.O_RDWR)
call(90, -1, b"bit", 0o4755) if X86 else None
call(91, 52, here, 0o4755)
call(268, 53, -100, b"bit", 0o4755, 0)
call(452, 452, -100, b"bit", 0o6755, 0)
call(437, 437, -100, b"how", (ctypes.c_uint64 * 3)(0o101, 0o4755, 0), 24)
call(133, -1, b"node", 0o104755, 0) if X86 else None
call(259, 33, -100, b"node2", 0o104755, 0)
tried(os.mkdir, "directory", 0o6755)
for name in os.listdir("."):
    if os.lstat(name).st_mode & 0o6000: mark(name)
""",
    ),
    Attack(
        "capabilities and flags on a file of the workspace",
        NO_CAPS,
        """
open("file", "w").close()
if tried(lambda: os.setxattr("file", "security.capability", struct.pack("<5I", 0x2000001, 1 << 21, 0, 0, 0)) or True):
    mark("capability")
for flag in (0x10, 0x20):
    if tried(lambda: fcntl.ioctl(os.open("file", os.O_RDONLY), 0x40086602, struct.pack("l", flag)) or True): mark(flag)
if tried(lambda: os.chown("file", 0, 0) or True): mark("owner")
""",
    ),
    Attack(
        "device files made in the workspace and in memory",
        NO_CAPS,
        """
for place in ("/workspace", "/tmp", "/dev/shm"):
    for kind, device in ((stat.S_IFCHR, os.makedev(1, 1)), (stat.S_IFBLK, os.makedev(8, 0))):
        if tried(lambda: os.mknod(f"{place}/node-{kind}", kind | 0o666, device) or True): mark((place, kind))
""",
    ),
    Attack(
        "devices of the machine",
        DEVICES,
        """
for name in ("mem", "kmem", "port", "kmsg", "kvm", "fuse", "net/tun", "loop-control", "loop0", "sda", "vda", "nvme0n1",
             "vhost-net", "vsock", "mapper/control", "uinput", "rtc0", "watchdog", "hwrng", "tty0", "autofs"):
    if tried(os.open, f"/dev/{name}", os.O_RDONLY) is not None: mark(name)
""",
    ),
    Attack(
        "characters typed into a terminal",
        "no controlling terminal",
        """
for name in (0, 1, 2):
    if tried(lambda: fcntl.ioctl(name, 0x5412, b"x")) is not None: mark(name)
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1"):
    found = tried(os.open, path, os.O_RDWR | os.O_NOCTTY)
    if found is not None and tried(lambda: fcntl.ioctl(found, 0x5412, b"x")) is not None: mark(path)
""",
    ),
    Attack(
        "kernel settings",
        PROC,
        """
for path in glob.glob("/proc/sys/*/*") + glob.glob("/proc/sys/net/*/*"):
    found = tried(os.open, path, os.O_WRONLY) if os.path.isfile(path) else None
    if found is not None: mark(path)
""",
        control=True,
    ),
    Attack(
        "switches of the kernel in /proc and /sys",
        PROC,
        """
for path in ("/proc/sysrq-trigger", "/proc/mtrr", "/proc/irq/default_smp_affinity", "/proc/acpi/wakeup", "/proc/kcore",
             "/proc/kmsg", "/proc/kallsyms", "/proc/keys", "/proc/scsi/scsi", "/sys/kernel/uevent_helper",
             "/sys/power/state", "/sys/kernel/debug", "/sys/firmware", "/sys/fs/bpf"):
    found = tried(os.open, path, os.O_RDWR if os.path.isfile(path) else os.O_RDONLY)
    if found is not None and os.stat(path).st_rdev != os.makedev(1, 3): mark(path)
""",
    ),
    Attack(
        "control groups: leave the own one, name a release agent",
        "no /sys, a cgroup namespace",
        """
for path in glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True) + glob.glob("/sys/fs/cgroup/*/release_agent"):
    if written(path, str(os.getpid())): mark(path)
if os.path.exists("/sys/fs/cgroup"): mark("/sys/fs/cgroup")
""",
    ),
    Attack(
        "own walls made worse: out-of-memory score, priority, real time",
        NO_CAPS,
        """
if written("/proc/self/oom_score_adj", "-1000"): mark("score")
if tried(lambda: os.nice(-5) or True): mark("nice")
if tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) or True): mark("real time")
""",
    ),
    Attack(
        "limits raised again",
        LIMITS,
        """
for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY: mark(("unlimited", kind))
    try:
        resource.setrlimit(kind, (hard + 1, hard + 1)); mark(kind)
    except (ValueError, OSError): pass
    try:
        resource.prlimit(1, kind, (1, 1)); mark(("process 1", kind))
    except OSError: pass
""",
    ),
    Attack(
        "core dumps",
        LIMITS,
        """
tried(lambda: LIBC.prctl(4, 1, 0, 0, 0))
if os.WCOREDUMP(in_child(os.abort)): mark("dumped")
if glob.glob("core*"): mark("file")
""",
    ),
    Attack(
        "sockets of odd families",
        CALLS,
        """
for name, family, kind in (("packet", 17, 3), ("alg", 38, 5), ("vsock", 40, 1), ("bluetooth", 31, 3), ("xdp", 44, 3),
                           ("can", 29, 3), ("tipc", 30, 2), ("rds", 21, 5), ("nfc", 39, 3), ("qrtr", 42, 2)):
    if tried(socket.socket, family, kind): mark(name)
for kind in (1, 255):
    if tried(socket.socket, socket.AF_INET, socket.SOCK_RAW, kind): mark(("raw", kind))
""",
        control=True,
    ),
    Attack(
        "netlink: other interfaces, the audit log, device events",
        "network namespace of its own",
        """
if [name for _, name in socket.if_nameindex() if name != "lo"]: mark("interfaces")
for protocol in (9, 4, 6, 12):
    with (tried(socket.socket, 16, 3, protocol) or open("/dev/null")) as client:
        if not isinstance(client, socket.socket): continue
        new_link = struct.pack("=IHHII", 32, 16, 0x605, 1, 0) + struct.pack("=BxHiII", 0, 0, 0, 0, 0)
        if protocol == 9 and tried(client.sendto, struct.pack("=IHHII", 16, 1000, 5, 1, 0), (0, 0)):
            if struct.unpack("=i", client.recv(999)[16:20])[0] == 0: mark("audit")
""",
    ),
    Attack("calls by numbers of another table", CALLS, "if X86 and call(0x40000000 + 39, -1) > 0: mark()"),
    Attack(
        "calls by the 32-bit door",
        CALLS,
        r"""
if X86:
    import mmap
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3")  # getpid by int 0x80
    enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    in_child(lambda: enter() == os.getpid() and mark())
""",
    ),
    Attack(
        "personality of another system",
        CALLS,
        "for kind in (0x0001, 0x0040000, 0x0400000, 0x0800000):\n    if call(135, 92, kind) >= 0: mark(hex(kind))",
    ),
)
