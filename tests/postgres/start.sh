#!/usr/bin/env bash
# Start a throw-away PostgreSQL on a free port of the loopback interface, installing Debian's where it is absent, and
# print the line that tells the tests of it: eval "$(tests/postgres/start.sh)". tests/postgres/stop.sh ends it.
set -euo pipefail
folder="${PATHFOLIO_POSTGRES_FOLDER:-/tmp/pathfolio-postgres-$(id -u)}"

binaries() { find /usr/lib/postgresql -maxdepth 2 -type d -name bin 2>/dev/null | sort -V | tail -n 1; }

bin=$(binaries)
if [ -z "$bin" ]; then
  {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
  } >/dev/null
  bin=$(binaries)
fi
[ -n "$bin" ] || { echo "no PostgreSQL server: install Debian's package postgresql" >&2; exit 1; }

as_server() { # PostgreSQL refuses to run as root
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

if [ ! -f "$folder/url" ] || ! as_server "$bin/pg_ctl" -D "$folder/data" status >/dev/null 2>&1; then
  "$(dirname "$0")/stop.sh" >/dev/null 2>&1 || true
  rm -rf "$folder"
  mkdir -m 700 -p "$folder"
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$password" >"$folder/password")
  [ "$(id -u)" != 0 ] || chown -R postgres "$folder"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  as_server "$bin/initdb" -D "$folder/data" -U pathfolio -A scram-sha-256 --pwfile "$folder/password" -E UTF8 \
    --locale=C.UTF-8 >/dev/null
  as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o \
    "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder" start >/dev/null
  printf 'postgresql://pathfolio:%s@127.0.0.1:%s/postgres\n' "$password" "$port" >"$folder/url"
fi
printf 'export PATHFOLIO_TEST_POSTGRES=%s\n' "$(cat "$folder/url")"
