#!/usr/bin/env bash
# Sends a message on the WebSocket with wscat, prints the received frames, and disconnects. BASE_URL selects
# the server; PARLEY_USERNAME and PARLEY_PASSWORD select a registered user:
#
#   BASE_URL=http://localhost:3000 bash examples/wscat.sh
#
# To stay connected and type messages, remove both --execute options and --wait.
set -euo pipefail
base=${BASE_URL:-http://localhost:3000}
credentials=$(printf '{"username":"%s","password":"%s"}' \
  "${PARLEY_USERNAME:-exampleuser}" "${PARLEY_PASSWORD:-securepassword}")

login=$(curl --silent --show-error --fail-with-body "$base/api/auth/login" --json "$credentials")
token=$(sed -E 's/.*"token":"([^"]+)".*/\1/' <<<"$login")

# wscat waits until the server closes the connection, after it has handled all earlier frames.
npx --yes wscat@6.1.0 --connect "ws${base#http}/" \
  --subprotocol parley.v1 \
  --header "Authorization: Bearer $token" \
  --execute '{"message":"Hello, world!"}' \
  --execute '{"event":"disconnect"}' \
  --wait -1
