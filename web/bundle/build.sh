#!/usr/bin/env bash
# Bundle what the graph page takes from others into web/site/static, with the licences at the head of each file.
# Needs Node 20 or newer and npm; versions are those of package-lock.json. Run it after changing package.json
# (then `npm install --package-lock-only` first), and commit what it writes.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund
for kit in drawing editor; do
  out="../site/static/$kit-kit.js"
  npx esbuild "$kit-kit.js" --bundle --minify --format=iife --target=es2020 --legal-comments=none \
    --global-name="${kit^}Kit" --metafile="node_modules/$kit.json" --outfile="$out"
  node licences.mjs "node_modules/$kit.json" "$out"
done
