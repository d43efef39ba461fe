#!/usr/bin/env bash
# Makes the machine ready: Debian packages that are missing, then .venv. Usage: installer/setup.sh run|test
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { printf '• %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else say "Root or sudo is needed to install: $*"; exit 1
    fi
}

packages=$(awk -v p="$purpose" '$1 == "run" || ($1 == "test" && p == "test") {print $2}' installer/debian-packages.txt)

install_debian_packages() {
    command -v dpkg-query >/dev/null || { say "Not a Debian machine: see README.md for what is needed."; return; }
    local missing=() package
    for package in $packages; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "Installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            echo "$candidate"; return
        fi
    done
    say "Python 3.11 or 3.12 is needed." >&2
    exit 1
}

install_python_packages() {
    local wanted stamp=.venv/.installed
    wanted=$(cat pyproject.toml installer/constraints.txt installer/setup.sh | sha256sum)
    if [ "$(cat $stamp 2>/dev/null || true)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then return; fi
    if ! .venv/bin/python -c '' 2>/dev/null; then
        say "Making .venv"
        "$(find_python)" -m venv --clear .venv
    fi
    say "Installing Python packages into .venv (about a minute the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c installer/constraints.txt -e '.[dev]'
    echo "$wanted" >$stamp
}

install_debian_packages
install_python_packages
