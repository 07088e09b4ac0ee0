import { assertionAlgorithms, optionRules } from '@broker/core/options'
import * as z from 'zod'
import { key, text } from './file-values.ts'

/** The methods that need no client secret. */
export const authenticationMethods = [
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const

/** Authentication of a client without a secret. Which keys a method has, `authenticationFindings` checks. */
export const authenticationSchema = z.strictObject({
  method: key(
    z.enum(authenticationMethods),
    '`private_key_jwt` signs an assertion with the key in `keyFile` (RFC 7523). `tls_client_auth` and `self_signed_tls_client_auth` present the certificate in `certFile` (RFC 8705).',
    'private_key_jwt',
  ),
  keyFile: key(
    text(4_096),
    'Path of the file with the private key, PEM or for `private_key_jwt` also a JWK, without a passphrase. Read again when it changes.',
    '/run/secrets/reports.key',
  ).optional(),
  certFile: key(
    text(4_096),
    'Path of the PEM file with the client certificate and its chain, for the TLS methods. The connections to the token endpoint of the client present it. Read again when it changes. Default: `DEX_CLIENT_CERT_FILE`.',
    '/run/secrets/reports.crt',
  ).optional(),
  keyId: key(
    text(optionRules['client.authentication.keyId'].maxLength),
    'The `kid` of the assertion. Default: the one of a JWK, else none.',
    'reports-2026',
  ).optional(),
  algorithm: key(
    z.enum(assertionAlgorithms as [string, ...string[]]),
    'The algorithm of the assertion. Default: `alg` of a JWK, else RS256, ES256, ES384, ES512 or EdDSA by the type of the key.',
    'PS256',
  ).optional(),
  audience: key(
    text(optionRules['client.authentication.audience'].maxLength),
    'The `aud` of the assertion. Default: the issuer, else the URL of the token endpoint.',
    'https://login.example.com/oauth2/token',
  ).optional(),
})

export type AuthenticationDefinition = z.infer<typeof authenticationSchema>
