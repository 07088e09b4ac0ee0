/** The text of docs/errors.md. `codes` is the table of core: status and description by code. */
export function errorsMarkdown(codes) {
  const rows = Object.entries(codes).map(
    ([code, { status, description }]) =>
      `| \`${code}\` | ${status} | ${description.replaceAll('|', '\\|')} |`,
  )
  return `# Errors

<!-- Generated from the table in packages/core/src/shared/errors.ts: change the table, not this file. -->

A refused check is answered with a status and a JSON body (RFC 6749 section 5.2):

\`\`\`console
$ curl -i http://127.0.0.1:8080/check/orders
HTTP/1.1 401 Unauthorized
www-authenticate: Bearer realm="dex-token-broker"
content-type: application/json

{"error":"missing_credentials","error_description":"x-client-id and x-client-secret are missing"}
\`\`\`

The library rejects with a \`BrokerError\` that has the same \`code\` and \`status\`.

| Code | Status | When |
| --- | --- | --- |
${rows.join('\n')}

| Status | Header | Value |
| --- | --- | --- |
| 401 | \`WWW-Authenticate\` | \`Bearer\`; with \`error="invalid_token"\` for a JWT that was sent and refused |
| 503 | \`Retry-After\` | seconds to wait; 1 when the time is not known |

\`error_description\` is safe to show to a caller. The cause, which may name hosts and settings, is in the broker's [log](log.md) only.
Envoy replaces every 5xx by its own \`status_on_error\` ([envoy.md](envoy.md#answers-that-a-client-of-envoy-sees)).
`
}
