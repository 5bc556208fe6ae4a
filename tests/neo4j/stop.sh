#!/usr/bin/env bash
# End the Neo4j that start.sh started, and remove its data; the jars stay for the next time.
set -euo pipefail
folder="${PATHFOLIO_NEO4J_FOLDER:-/tmp/pathfolio-neo4j-$(id -u)}"
[ -f "$folder/pid" ] || exit 0
pid=$(cat "$folder/pid")
kill "$pid" 2>/dev/null || true
for _ in $(seq 100); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
kill -9 "$pid" 2>/dev/null || true
rm -rf "$folder"
