#!/usr/bin/env bash
# Sends a message on the WebSocket with wscat, prints what everyone receives, and disconnects. It takes
# the server from BASE_URL, and a registered user from PARLEY_USERNAME and PARLEY_PASSWORD:
#
#   BASE_URL=http://localhost:3000 bash examples/wscat.sh
#
# To stay connected and type: leave out both --execute and --wait.
set -euo pipefail
base=${BASE_URL:-http://localhost:3000}
credentials=$(printf '{"username":"%s","password":"%s"}' \
  "${PARLEY_USERNAME:-exampleuser}" "${PARLEY_PASSWORD:-securepassword}")

login=$(curl --silent --show-error --fail-with-body "$base/api/auth/login" --json "$credentials")
token=$(sed -E 's/.*"token":"([^"]+)".*/\1/' <<<"$login")

# The server closes after it has handled what came before the disconnect; until then wscat waits.
npx --yes wscat@6.1.0 --connect "ws${base#http}/" \
  --subprotocol parley.v1 \
  --header "Authorization: Bearer $token" \
  --execute '{"message":"Hello, world!"}' \
  --execute '{"event":"disconnect"}' \
  --wait -1
