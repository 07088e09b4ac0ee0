#!/usr/bin/env bash
# Asks the running composition what matters and fails when an answer is wrong. Needs curl.
set -euo pipefail
gateway=${GATEWAY_URL:-http://127.0.0.1:10000}
body=$(mktemp)
trap 'rm -f "$body"' EXIT
failures=0

# ask <curl arguments>: leaves the status in $status and the body in the file $body.
ask() {
  : >"$body"
  status=$(curl --silent --show-error --max-time 10 --output "$body" --write-out '%{http_code}' "$@") || status=none
}

# is <description> <command>: counts a failure when the command fails.
is() {
  local description=$1
  shift
  if "$@"; then
    echo "ok      $description"
  else
    echo "failed  $description (status $status, body: $(head -c 500 "$body"))"
    failures=$((failures + 1))
  fi
}

has_status() { [ "$status" = "$1" ]; }
reached_backend_with() { has_status 200 && grep -qiE "^$1" "$body"; }
reached_backend_without() { has_status 200 && ! grep -qiE "^$1" "$body"; }

reports=(--header 'x-client-id: reports' --header 'x-client-secret: reports-secret')
jwt='[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+'

for _ in $(seq 60); do
  ask "${reports[@]}" "$gateway/orders"
  if has_status 200; then break; fi
  sleep 1
done

is 'credentials get through' has_status 200
is 'the backend gets a token of Dex' reached_backend_with "authorization: Bearer $jwt"
is 'the backend gets no client id' reached_backend_without 'x-client-id:'
is 'the backend gets no secret' reached_backend_without 'x-client-secret:'

ask "${reports[@]}" --header 'authorization: Bearer forged' "$gateway/orders"
is 'a forged token is replaced' reached_backend_without 'authorization: Bearer forged'

ask --header 'x-client-id: billing' --header 'x-client-secret: p@ss:w%rd+&=' "$gateway/orders"
is 'a secret with special characters gets through' has_status 200

ask --request DELETE "${reports[@]}" --header 'x-scope: groups' "$gateway/orders/7?a=1"
is 'another method, with a scope, gets through' has_status 200

ask "$gateway/orders"
is 'nothing is 401' has_status 401
is 'the refusal says why' grep -q '"error":"missing_credentials"' "$body"

ask --header 'x-client-id: reports' --header 'x-client-secret: wrong' "$gateway/orders"
is 'a wrong secret is 401' has_status 401

ask --path-as-is "$gateway/orders/../../healthz"
is 'a path that climbs to the probe is 401' has_status 401

ask --path-as-is "$gateway/%2e%2e/healthz"
is 'the same, encoded, is 401' has_status 401

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo 'all as promised'
