#!/bin/sh
# Makes a virtual environment and installs pinned requirements into it, or says what is missing.
# usage: setup-venv.sh DIRECTORY REQUIREMENTS...     PYTHON=interpreter chooses one
set -eu

venv=$1
shift

enough='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for each in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$each" -c "$enough" >/dev/null 2>&1; then
            command -v "$each"
            return
        fi
    done
    found=$("${PYTHON:-python3}" --version 2>/dev/null || echo "no ${PYTHON:-python3}")
    echo "Sluice needs Python 3.11 or newer; found: $found" >&2
    echo "Install one (Debian 12, Ubuntu 24.04: sudo apt install python3 python3-venv)," >&2
    echo "or name one: make PYTHON=/path/to/python3.12 ..." >&2
    return 1
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$python cannot make virtual environments: its venv or ensurepip module is missing." >&2
        echo "Debian and Ubuntu: sudo apt install python3-venv (or python$version-venv)" >&2
        return 1
    fi
    echo "Making $venv with $("$python" --version)" >&2
    "$python" -m venv --clear "$venv"
}

# Two makes may start at once (run in one terminal, demo in another): the second waits.
exec 9<requirements.txt
if command -v flock >/dev/null 2>&1; then
    flock 9
fi

if ! "$venv/bin/python" -c "import pip; $enough" >/dev/null 2>&1; then
    make_venv
fi
wanted=""
for each in "$@"; do
    wanted="$wanted --requirement $each"
done
echo "Installing $*" >&2
# shellcheck disable=SC2086  # a list of options
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
