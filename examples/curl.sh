#!/usr/bin/env bash
# From a new user to a message, with curl. It takes the server from BASE_URL, and the user from
# PARLEY_USERNAME and PARLEY_PASSWORD:
#
#   BASE_URL=http://localhost:3000 bash examples/curl.sh
set -euo pipefail
base=${BASE_URL:-http://localhost:3000}
credentials=$(printf '{"username":"%s","password":"%s"}' \
  "${PARLEY_USERNAME:-exampleuser}" "${PARLEY_PASSWORD:-securepassword}")

# A name that is taken answers 409, which is no obstacle: the login tells whether it is ours.
curl --silent --show-error "$base/api/auth/register" --json "$credentials"
echo

login=$(curl --silent --show-error --fail-with-body "$base/api/auth/login" --json "$credentials")
token=$(sed -E 's/.*"token":"([^"]+)".*/\1/' <<<"$login")

curl --silent --show-error --fail-with-body "$base/api/users/profile" \
  --header "Authorization: Bearer $token"
echo

# With an idempotency key, a repetition after a lost answer does not send the message twice.
curl --silent --show-error --fail-with-body "$base/api/chats/send" \
  --header "Authorization: Bearer $token" \
  --header "Idempotency-Key: \"$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)\"" \
  --retry 3 \
  --json '{"message":"Hello, world!"}'
echo

curl --silent --show-error --fail-with-body "$base/api/chats/messages?limit=5" \
  --header "Authorization: Bearer $token"
echo
