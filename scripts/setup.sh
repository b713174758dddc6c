#!/usr/bin/env bash
# Sees to it that what a purpose needs is there, before anything is built: Debian packages, a Docker
# daemon, images of servers, cargo-nextest. Usage: scripts/setup.sh lint|demo|demo-mysql|test
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-}

# The last version that Rust 1.95 was seen to build.
nextest=0.9.143

# PROGRAM:PACKAGE of all that a purpose needs. The servers come without their service, which would
# take port 3306 and outlive us.
case $purpose in
    lint) needed=(cc:build-essential) ;;
    demo)
        needed=(cc:build-essential mariadbd:mariadb-server-core
            my_print_defaults:mariadb-client-core) ;;
    demo-mysql) needed=(cc:build-essential) ;;
    test)
        needed=(cc:build-essential mariadbd:mariadb-server-core
            my_print_defaults:mariadb-client-core mariadb-backup:mariadb-backup
            kill:procps) ;;
    *)
        echo "usage: scripts/setup.sh lint|demo|demo-mysql|test" >&2
        exit 2 ;;
esac

is_root() { [ "$(id -u)" -eq 0 ]; }

# A user's PATH often lacks the directories for administrators.
has() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin type -P "$1" >/dev/null; }

need_cargo() {
    has cargo && return
    echo "Cargo is not there. Install Rust as https://rustup.rs says; rustup then brings the" >&2
    echo "version that rust-toolchain.toml names." >&2
    exit 1
}

need_packages() {
    local one missing=()
    for one in "$@"; do
        has "${one%%:*}" || missing+=("${one#*:}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local install=(install -y --no-install-recommends "${missing[@]}")
    if ! is_root; then
        echo "Missing Debian packages. Install them with:" >&2
        echo "    sudo apt-get update && sudo apt-get ${install[*]}" >&2
        exit 1
    fi
    echo "Installing Debian packages: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -qq "${install[@]}" >/dev/null
}

docker_answers() { docker info >/dev/null 2>&1; }

need_docker() {
    docker_answers && return
    if is_root; then
        echo "Starting the Docker daemon"
        if [ -d /run/systemd/system ]; then
            systemctl start docker || true
        else
            # In a session of its own, where a Ctrl-C on this terminal does not reach it.
            setsid --fork dockerd </dev/null >/var/log/dockerd.log 2>&1 || true
        fi
        for _ in $(seq 60); do
            docker_answers && return
            sleep 0.5
        done
    fi
    echo "Servers are to run in containers, and no Docker daemon answers: start it (systemctl start" >&2
    echo "docker), and see that 'docker info' works for this user." >&2
    if is_root && [ -e /var/log/dockerd.log ]; then
        echo "Its log, /var/log/dockerd.log, ends with:" >&2
        tail -n 3 /var/log/dockerd.log >&2
    fi
    exit 1
}

# The sandbox makes the image of a flavour when it is first used; that it can is seen to here.
need_image() {
    local flavor=$1 recipe tag official sandbox
    recipe=$(sed -n "/name: \"mysqlsvc-sandbox-$flavor\"/,/^};/p" mysqlsvc-sandbox/src/image/recipe.rs)
    tag=$(sed -n 's/.* tag: "\(.*\)",/\1/p' <<<"$recipe")
    official=$(sed -n 's/.* official: "\(.*\)",/\1/p' <<<"$recipe")
    has_image "mysqlsvc-sandbox-$flavor:$tag" && return
    if is_root; then
        echo "The $flavor image is not there yet: the first sandbox makes it, which takes about a minute"
        return
    fi
    has_image "$official" && return
    echo "Pulling $official, which the $flavor image is made from"
    docker pull -q "$official" && return
    sandbox="target/release/mysqlsvc sandbox"
    echo "The $flavor image is not there, $official cannot be pulled, and only root can build it from" >&2
    echo "Debian packages. Let root do it once, where it stays for all users of this Docker daemon:" >&2
    echo "    cargo build --release --bins" >&2
    echo "    sudo $sandbox up --flavor $flavor --runtime container --nodes 1 --dir /tmp/box" >&2
    echo "    sudo $sandbox down --dir /tmp/box" >&2
    exit 1
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

need_nextest() {
    cargo nextest --version >/dev/null 2>&1 && return
    echo "Installing cargo-nextest $nextest"
    cargo install cargo-nextest --locked --version "$nextest"
}

need_cargo
if [ "$purpose" = demo-mysql ] || [ "$purpose" = test ]; then
    # Whoever brings Docker of another make, or a daemon elsewhere, needs no package.
    docker_answers || needed+=(dockerd:docker.io)
    need_packages "${needed[@]}"
    need_docker
    need_image mysql
    [ "$purpose" != test ] || need_image mariadb
else
    need_packages "${needed[@]}"
fi
[ "$purpose" != test ] || need_nextest
