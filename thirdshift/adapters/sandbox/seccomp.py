"""The sandbox's seccomp filter, assembled as classic BPF.

Formats: ``struct sock_filter`` is u16 code, u8 jt, u8 jf, u32 k; ``struct seccomp_data`` is i32 nr, u32 arch,
u64 instruction_pointer, u64 args[6] (Linux ``include/uapi/linux/filter.h`` and ``seccomp.h``).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable

from thirdshift.adapters.sandbox import syscalls

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of the machines that the filter is written for."""

Instruction = tuple[int, int, int, int]

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NR, _ARCH, _ARGS = 0, 4, 16
_X32_BIT = 0x40000000
_CLONE_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_PERSONALITIES = (0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_PACKET = 10
_SET_ID_BITS = 0o6000
_CREATES = 0o100 | 0o20000000  # O_CREAT, __O_TMPFILE


def program(machine: str) -> bytes:
    """Return the filter for ``machine`` as the kernel takes it. KeyError for a machine it is not written for."""
    instructions: list[Instruction] = [
        _load(_ARCH),
        (_EQUAL, 1, 0, ARCHITECTURES[machine]),
        _answer(errno.ENOSYS),
        _load(_NR),
    ]
    if machine == "x86_64":
        # The x32 calls have other numbers for the same things: none of the rules below would see them.
        instructions += _when(_AT_LEAST, _X32_BIT, [_answer(errno.ENOSYS)])
    instructions += _when(_AT_LEAST, syscalls.LAST_KNOWN + 1, [_answer(errno.ENOSYS)])
    instructions += _answered(machine, syscalls.REFUSED.values(), errno.EPERM)
    instructions += _answered(machine, syscalls.UNKNOWN.values(), errno.ENOSYS)
    for numbers, body in _argument_rules():
        number = numbers.on(machine)
        if number is not None:
            # The body reads arguments into the accumulator: the number is loaded again after it.
            instructions += _when(_EQUAL, number, [*body, _load(_NR)])
    instructions.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _argument(index: int) -> Instruction:
    """Load the low half of an argument; both machines are little-endian."""
    return _load(_ARGS + 8 * index)


def _answer(error: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | error)


def _when(test: int, value: int, body: list[Instruction]) -> list[Instruction]:
    return [(test, 0, len(body), value), *body]


def _unless_one_of(values: tuple[int, ...], body: list[Instruction]) -> list[Instruction]:
    last = len(values) - 1
    tests = [(_EQUAL, last - place + len(body), 0, value) for place, value in enumerate(values)]
    return [*tests, *body]


def _answered(machine: str, calls: Iterable[syscalls.Numbers], error: int) -> list[Instruction]:
    instructions: list[Instruction] = []
    for numbers in calls:
        number = numbers.on(machine)
        if number is not None:
            instructions += _when(_EQUAL, number, [_answer(error)])
    return instructions


def _argument_rules() -> list[tuple[syscalls.Numbers, list[Instruction]]]:
    no_such_family = [_answer(errno.EAFNOSUPPORT)]
    refused = [_answer(errno.EPERM)]
    families = (_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK)
    netlink_routes_only = [_argument(2), *_unless_one_of((0,), no_such_family)]
    rules: list[tuple[syscalls.Numbers, list[Instruction]]] = [
        (syscalls.CLONE, [_argument(0), *_when(_ANY_BIT, _CLONE_NEW_NAMESPACES, refused)]),
        (
            syscalls.SOCKET,
            [
                _argument(0),
                *_unless_one_of(families, no_such_family),
                *_when(_EQUAL, _AF_NETLINK, netlink_routes_only),
                _argument(1),
                (_AND, 0, 0, 0xF),
                *_when(_EQUAL, _SOCK_PACKET, refused),
            ],
        ),
        (syscalls.SOCKETPAIR, [_argument(0), *_unless_one_of((_AF_UNIX,), no_such_family)]),
        (
            syscalls.IOCTL,
            [_argument(1), *_when(_EQUAL, _TIOCSTI, refused), *_when(_EQUAL, _TIOCLINUX, refused)],
        ),
        (syscalls.PERSONALITY, [_argument(0), *_unless_one_of(_PERSONALITIES, refused)]),
        # Process 1 has the same user: with its limits lowered from inside, it could start no further command.
        (syscalls.PRLIMIT, [_argument(0), *_unless_one_of((0,), refused)]),
    ]
    # A set-user-id file that a sandboxed root worker leaves in the workspace would be one on the host too.
    for numbers, mode in syscalls.MODE_ARGUMENT.values():
        rules.append((numbers, [_argument(mode), *_when(_ANY_BIT, _SET_ID_BITS, refused)]))
    for numbers, flags, mode in syscalls.OPEN_FLAGS_AND_MODE.values():
        set_id = [_argument(mode), *_when(_ANY_BIT, _SET_ID_BITS, refused)]
        rules.append((numbers, [_argument(flags), *_when(_ANY_BIT, _CREATES, set_id)]))
    return rules
