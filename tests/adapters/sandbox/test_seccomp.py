"""The filter's program, run by a small interpreter of classic BPF."""

from __future__ import annotations

import errno
import struct

import pytest

from thirdshift.adapters.sandbox import seccomp, syscalls

ALLOW = "allow"


def decide(machine: str, number: int, *arguments: int, architecture: int | None = None) -> str:
    """Return the name of the error that the filter answers with, or ``allow``."""
    code = seccomp.program(machine)
    instructions = [struct.unpack_from("=HBBI", code, place) for place in range(0, len(code), 8)]
    audit = seccomp.ARCHITECTURES[machine] if architecture is None else architecture
    data = struct.pack("=iIQ6Q", number, audit, 0, *(arguments + (0,) * 6)[:6])
    accumulator, at = 0, 0
    while True:
        operation, if_true, if_false, value = instructions[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == 0x54:
            accumulator &= value
        elif operation in (0x15, 0x35, 0x45):
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}
            at += if_true if holds[operation] else if_false
        elif operation == 0x06:
            return ALLOW if value == 0x7FFF0000 else errno.errorcode[value & 0xFFFF]
        else:
            raise AssertionError(hex(operation))


MACHINES = sorted(seccomp.ARCHITECTURES)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_named_call_is_refused(machine: str) -> None:
    for calls, answer in ((syscalls.REFUSED, "EPERM"), (syscalls.UNKNOWN, "ENOSYS")):
        for name, numbers in calls.items():
            number = numbers.on(machine)
            if number is not None:
                assert (name, decide(machine, number)) == (name, answer)


@pytest.mark.parametrize("machine", MACHINES)
def test_no_two_names_share_a_number(machine: str) -> None:
    named = {**syscalls.REFUSED, **syscalls.UNKNOWN}
    numbers = [one.on(machine) for one in named.values() if one.on(machine) is not None]
    numbers += [one.on(machine) for one in (syscalls.CLONE, syscalls.SOCKET, syscalls.IOCTL, syscalls.PERSONALITY)]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        (syscalls.CLONE, (0x11,), ALLOW),
        (syscalls.CLONE, (0x003D0F00,), ALLOW),  # a thread
        (syscalls.CLONE, (0x10000011,), "EPERM"),
        (syscalls.CLONE, (0x40000011,), "EPERM"),
        (syscalls.SOCKET, (1, 1, 0), ALLOW),
        (syscalls.SOCKET, (2, 1 | 0o2000000, 6), ALLOW),
        (syscalls.SOCKET, (2, 10, 0), "EPERM"),
        (syscalls.SOCKET, (10, 2, 0), ALLOW),
        (syscalls.SOCKET, (16, 3, 0), ALLOW),
        (syscalls.SOCKET, (16, 3, 9), "EAFNOSUPPORT"),
        (syscalls.SOCKET, (17, 3, 0), "EAFNOSUPPORT"),
        (syscalls.SOCKET, (38, 5, 0), "EAFNOSUPPORT"),
        (syscalls.SOCKET, (40, 1, 0), "EAFNOSUPPORT"),
        (syscalls.SOCKETPAIR, (1, 1, 0), ALLOW),
        (syscalls.SOCKETPAIR, (30, 1, 0), "EAFNOSUPPORT"),
        (syscalls.IOCTL, (0, 0x5401), ALLOW),
        (syscalls.IOCTL, (0, 0x5412), "EPERM"),
        (syscalls.IOCTL, (0, 0x1_0000_5412), "EPERM"),
        (syscalls.PERSONALITY, (0xFFFFFFFF,), ALLOW),
        (syscalls.PERSONALITY, (0x0040000,), "EPERM"),
        (syscalls.PRLIMIT, (0, 7), ALLOW),
        (syscalls.PRLIMIT, (1, 7), "EPERM"),
    ],
)
def test_arguments_decide(machine: str, call: syscalls.Numbers, arguments: tuple[int, ...], answer: str) -> None:
    number = call.on(machine)
    assert number is not None
    assert decide(machine, number, *arguments) == answer


@pytest.mark.parametrize("machine", MACHINES)
def test_set_id_bits_are_refused_wherever_a_mode_is_given(machine: str) -> None:
    for name, (numbers, mode) in syscalls.MODE_ARGUMENT.items():
        number = numbers.on(machine)
        if number is not None:
            for bits, answer in ((0o755, ALLOW), (0o4755, "EPERM"), (0o2755, "EPERM"), (0o1777, ALLOW)):
                arguments = [0] * 6
                arguments[mode] = bits
                assert (name, decide(machine, number, *arguments)) == (name, answer)
    for name, (numbers, flags, mode) in syscalls.OPEN_FLAGS_AND_MODE.items():
        number = numbers.on(machine)
        if number is not None:
            for opened, answer in ((0, ALLOW), (0o101, "EPERM"), (0o20200002, "EPERM")):
                arguments = [0] * 6
                arguments[flags], arguments[mode] = opened, 0o4755
                assert (name, decide(machine, number, *arguments)) == (name, answer)


@pytest.mark.parametrize("machine", MACHINES)
def test_other_architectures_and_later_calls_are_unknown(machine: str) -> None:
    assert decide(machine, 39, architecture=0x40000003) == "ENOSYS"
    assert decide(machine, syscalls.LAST_KNOWN + 1) == "ENOSYS"
    assert decide(machine, 0x40000000 + 39) == "ENOSYS"
    assert decide(machine, 39 if machine == "x86_64" else 172) == ALLOW


def test_a_machine_without_a_filter_is_refused() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64")
