#!/usr/bin/env bash
# Registers a user, logs in, reads the profile, sends a message and lists the messages with curl. BASE_URL
# selects the server; PARLEY_USERNAME and PARLEY_PASSWORD select the user:
#
#   BASE_URL=http://localhost:3000 bash examples/curl.sh
set -euo pipefail
base=${BASE_URL:-http://localhost:3000}
credentials=$(printf '{"username":"%s","password":"%s"}' \
  "${PARLEY_USERNAME:-exampleuser}" "${PARLEY_PASSWORD:-securepassword}")

# If the username is taken, the server returns 409. Continue: the login checks whether the password is right.
curl --silent --show-error "$base/api/auth/register" --json "$credentials"
echo

login=$(curl --silent --show-error --fail-with-body "$base/api/auth/login" --json "$credentials")
token=$(sed -E 's/.*"token":"([^"]+)".*/\1/' <<<"$login")

curl --silent --show-error --fail-with-body "$base/api/users/profile" \
  --header "Authorization: Bearer $token"
echo

# The idempotency key ensures that a retry after a lost response does not send the message twice.
curl --silent --show-error --fail-with-body "$base/api/chats/send" \
  --header "Authorization: Bearer $token" \
  --header "Idempotency-Key: \"$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)\"" \
  --retry 3 \
  --json '{"message":"Hello, world!"}'
echo

curl --silent --show-error --fail-with-body "$base/api/chats/messages?limit=5" \
  --header "Authorization: Bearer $token"
echo
