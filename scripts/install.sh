#!/bin/sh
# Installs what a lock names into .venv, then the project itself. Usage: scripts/install.sh runtime|dev
#
# It may be run at any time: it does nothing when nothing changed, and starts over when an earlier run was cut off
# half-way, because pip takes a half-written package for a whole one.
set -eu

cd "$(dirname "$0")/.."
here=$(pwd -P)
venv=.venv

case "${1:-}" in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) echo "usage: scripts/install.sh runtime|dev" >&2; exit 64 ;;
esac

say() { echo "install: $*" >&2; }

# Two commands begun at once must not write one environment together.
if command -v flock >/dev/null 2>&1; then
    mkdir -p .cache
    exec 9>.cache/install.lock
    flock 9
fi

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer with its venv module was not found."
    say "Install one (Debian and Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3"
    exit 69
}

stamp_says() { [ "$(cat "$venv/.stamp-$1" 2>/dev/null)" = "$2" ]; }

healthy() {
    [ ! -e "$venv/.unfinished" ] && stamp_says home "$here" && "$venv/bin/python" -c 'import pip' >/dev/null 2>&1
}

if ! healthy; then
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    mkdir -p "$venv"
    : > "$venv/.unfinished"
    "$python" -m venv --clear "$venv"
    echo "$here" > "$venv/.stamp-home"
    rm -f "$venv/.unfinished"
fi

pip_install() {
    : > "$venv/.unfinished"
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@"
    rm -f "$venv/.unfinished"
}

wanted=$(cksum < "$lock")
# The development lock holds the whole runtime lock, so it serves for both.
if ! stamp_says "$lock" "$wanted"; then
    if [ "$lock" = requirements-dev.lock ] || ! stamp_says requirements-dev.lock "$(cksum < requirements-dev.lock)"; then
        say "installing $lock (a few hundred megabytes the first time)"
        rm -f "$venv"/.stamp-requirements*
        pip_install --require-hashes -r "$lock"
        echo "$wanted" > "$venv/.stamp-$lock"
        rm -f "$venv/.stamp-project"
    fi
fi

project=$(cksum < pyproject.toml)
if ! stamp_says project "$project"; then
    say "installing the project itself"
    pip_install --no-deps --no-build-isolation --editable .
    echo "$project" > "$venv/.stamp-project"
fi
