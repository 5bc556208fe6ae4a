#!/usr/bin/env bash
# End the PostgreSQL that start.sh started, and delete its data.
set -euo pipefail
folder="${PATHFOLIO_POSTGRES_FOLDER:-/tmp/pathfolio-postgres-$(id -u)}"
[ -d "$folder/data" ] || exit 0
bin=$(find /usr/lib/postgresql -maxdepth 2 -type d -name bin | sort -V | tail -n 1)
if [ "$(id -u)" = 0 ]; then
  runuser -u postgres -- "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
else
  "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
fi
rm -rf "$folder"
