"""System call numbers that the seccomp filter names, for the two machines it is written for.

Source: Linux ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``. From 424 on the
numbers are the same everywhere.
"""

from __future__ import annotations

from typing import NamedTuple


class Numbers(NamedTuple):
    """One system call's number on each machine; None where the machine has no such call."""

    x86_64: int | None
    aarch64: int | None

    def on(self, machine: str) -> int | None:
        """Return the number on ``machine`` (``x86_64`` or ``aarch64``)."""
        return self.x86_64 if machine == "x86_64" else self.aarch64


def _everywhere(number: int) -> Numbers:
    return Numbers(number, number)


REFUSED: dict[str, Numbers] = {
    # other processes' memory and descriptors
    "ptrace": Numbers(101, 117),
    "process_vm_readv": Numbers(310, 270),
    "process_vm_writev": Numbers(311, 271),
    "process_madvise": _everywhere(440),
    "process_mrelease": _everywhere(448),
    "kcmp": Numbers(312, 272),
    "pidfd_getfd": _everywhere(438),
    # the kernel's keyring, programs and counters
    "add_key": Numbers(248, 217),
    "request_key": Numbers(249, 218),
    "keyctl": Numbers(250, 219),
    "bpf": Numbers(321, 280),
    "perf_event_open": Numbers(298, 241),
    "userfaultfd": Numbers(323, 282),
    "syslog": Numbers(103, 116),
    "lookup_dcookie": Numbers(212, 18),
    # mounts and namespaces
    "mount": Numbers(165, 40),
    "umount2": Numbers(166, 39),
    "pivot_root": Numbers(155, 41),
    "chroot": Numbers(161, 51),
    "unshare": Numbers(272, 97),
    "setns": Numbers(308, 268),
    "open_tree": _everywhere(428),
    "move_mount": _everywhere(429),
    "fsopen": _everywhere(430),
    "fsconfig": _everywhere(431),
    "fsmount": _everywhere(432),
    "fspick": _everywhere(433),
    "mount_setattr": _everywhere(442),
    "open_tree_attr": _everywhere(467),
    "open_by_handle_at": Numbers(304, 265),
    "name_to_handle_at": Numbers(303, 264),
    "fanotify_init": Numbers(300, 262),
    "quotactl": Numbers(179, 60),
    "quotactl_fd": _everywhere(443),
    # the machine itself
    "kexec_load": Numbers(246, 104),
    "kexec_file_load": Numbers(320, 294),
    "init_module": Numbers(175, 105),
    "finit_module": Numbers(313, 273),
    "delete_module": Numbers(176, 106),
    "create_module": Numbers(174, None),
    "get_kernel_syms": Numbers(177, None),
    "query_module": Numbers(178, None),
    "reboot": Numbers(169, 142),
    "swapon": Numbers(167, 224),
    "swapoff": Numbers(168, 225),
    "acct": Numbers(163, 89),
    "sethostname": Numbers(170, 161),
    "setdomainname": Numbers(171, 162),
    "settimeofday": Numbers(164, 170),
    "clock_settime": Numbers(227, 112),
    "clock_adjtime": Numbers(305, 266),
    "adjtimex": Numbers(159, 171),
    "iopl": Numbers(172, None),
    "ioperm": Numbers(173, None),
    "modify_ldt": Numbers(154, None),
    "uselib": Numbers(134, None),
    "ustat": Numbers(136, None),
    "sysfs": Numbers(139, None),
    "_sysctl": Numbers(156, None),
    "nfsservctl": Numbers(180, 42),
    "vhangup": Numbers(153, 58),
    "vserver": Numbers(236, None),
    "migrate_pages": Numbers(256, 238),
    "move_pages": Numbers(279, 239),
}
"""Answered with EPERM."""

UNKNOWN: dict[str, Numbers] = {
    "io_uring_setup": _everywhere(425),
    "io_uring_enter": _everywhere(426),
    "io_uring_register": _everywhere(427),
    "clone3": _everywhere(435),
    "openat2": _everywhere(437),
    "fchmodat2": _everywhere(452),
}
"""Answered with ENOSYS, so that callers fall back to an older call whose arguments a filter can read."""

LAST_KNOWN = 469
"""file_setattr. What a later kernel adds is answered with ENOSYS until somebody has looked at it."""

CLONE = Numbers(56, 220)
SOCKET = Numbers(41, 198)
SOCKETPAIR = Numbers(53, 199)
IOCTL = Numbers(16, 29)
PERSONALITY = Numbers(135, 92)
PRLIMIT = Numbers(302, 261)

MODE_ARGUMENT: dict[str, tuple[Numbers, int]] = {
    "chmod": (Numbers(90, None), 1),
    "fchmod": (Numbers(91, 52), 1),
    "fchmodat": (Numbers(268, 53), 2),
    "creat": (Numbers(85, None), 1),
    "mknod": (Numbers(133, None), 1),
    "mknodat": (Numbers(259, 33), 2),
}
"""Calls that set a file's mode, and which argument it is."""

OPEN_FLAGS_AND_MODE: dict[str, tuple[Numbers, int, int]] = {
    "open": (Numbers(2, None), 1, 2),
    "openat": (Numbers(257, 56), 2, 3),
}
"""Calls whose mode counts only when they create: flags argument, mode argument."""
