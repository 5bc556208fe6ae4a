#!/usr/bin/env bash
# End the Neo4j that start.sh started, and remove its data; the jars stay for the next time.
set -euo pipefail
folder="${PATHFOLIO_NEO4J_FOLDER:-/tmp/pathfolio-neo4j-$(id -u)}"
[ -f "$folder/pid" ] || exit 0
pid=$(cat "$folder/pid")
runs() { [[ "$(ps -o args= -p "$pid" 2>/dev/null)" == *Start.java* ]]; }  # no pipe: what ends it early would be "no"
if runs; then
  kill "$pid"
  for _ in $(seq 100); do
    runs || break
    sleep 0.1
  done
  ! runs || kill -9 "$pid"
fi
rm -rf "$folder"
