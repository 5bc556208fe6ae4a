#!/usr/bin/env bash
# Start a throw-away Neo4j 5 on a free port of the loopback interface, bringing its jars with Maven where they are
# absent, and print the lines that tell the tests of it: eval "$(tests/neo4j/start.sh)". stop.sh beside it ends it.
# start.sh jars brings the jars alone.
# With PATHFOLIO_NEO4J_KEEP=1 data that are in its folder stay: what was imported there, or what a crash left.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jars="${PATHFOLIO_NEO4J_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/pathfolio-neo4j}"
folder="${PATHFOLIO_NEO4J_FOLDER:-/tmp/pathfolio-neo4j-$(id -u)}"
python="${PYTHON:-$(command -v python || command -v python3)}" # one that has the neo4j driver

version=$(sed -n 's|.*<version>\(5\..*\)</version>.*|\1|p' "$here/pom.xml")
if [ ! -f "$jars/$version/complete" ]; then
  rm -rf "${jars:?}/$version"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars/$version" >&2
  touch "$jars/$version/complete"
fi
[ "${1:-}" != jars ] || exit 0

is_running() { [ -f "$folder/environment" ] && [[ "$(ps -o args= -p "$(cat "$folder/pid")" 2>/dev/null)" == *Start.java* ]]; }

if ! is_running; then
  [ -n "${PATHFOLIO_NEO4J_KEEP:-}" ] || rm -rf "$folder"
  certificates="$folder/home/certificates"
  mkdir -m 700 -p "$folder/home" "$certificates"
  [ -f "$certificates/private.key" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
    -keyout "$certificates/private.key" -out "$certificates/public.crt" 2>/dev/null
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  password=$(sed -n 's/^export PATHFOLIO_NEO4J_PASSWORD=//p' "$folder/environment" 2>/dev/null || true)
  nohup java -Xmx1g -cp "$jars/$version/*" "$here/Start.java" "$folder/home" "$port" >"$folder/log" 2>&1 &
  echo $! >"$folder/pid"
  "$python" "$here/await.py" "bolt://127.0.0.1:$port" "$folder/pid" "$password" >"$folder/starting" || {
    tail -n 20 "$folder/log" >&2
    "$here/stop.sh"
    exit 1
  }
  echo "export PATHFOLIO_NEO4J_LIB=$jars/$version" >>"$folder/starting"
  mv "$folder/starting" "$folder/environment"
fi
cat "$folder/environment"
