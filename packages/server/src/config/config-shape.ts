import type * as z from 'zod'
import type { CaFile } from './ca-file.ts'
import type { ClientAuthMethod, LogFormat } from './config.ts'
import type { ListenAddress } from './listen-address.ts'
import type { LogLevel } from './log-level.ts'
import type { TokenHeaderMapping } from './token-header-mapping.ts'
import type { Variable } from './variable.ts'

/** Every variable of the server and the value that it becomes. */
export type ConfigShape = {
  readonly LISTEN_ADDR: Variable<ListenAddress>
  readonly ADMIN_ADDR: Variable<ListenAddress | 'off'>
  readonly SHUTDOWN_TIMEOUT: Variable<number>
  readonly DEX_ISSUER: Variable<string | undefined>
  readonly DEX_TOKEN_URL: Variable<URL>
  readonly CLIENT_AUTH_METHOD: Variable<ClientAuthMethod>
  readonly HTTP_TIMEOUT: Variable<number>
  readonly DEX_CA_FILE: Variable<CaFile | undefined>
  readonly ALLOW_INSECURE_DEX_URL: Variable<boolean>
  readonly STATIC_CLIENT_ID: Variable<string | undefined>
  readonly STATIC_CLIENT_SECRET: Variable<string | undefined>
  readonly STATIC_SCOPE: Variable<string | undefined>
  readonly STATIC_AUDIENCES: Variable<readonly string[] | undefined>
  readonly CLIENT_ID_HEADER: Variable<string>
  readonly CLIENT_SECRET_HEADER: Variable<string>
  readonly SCOPE_HEADER: Variable<string>
  readonly STRIP_CREDENTIAL_HEADERS: Variable<boolean>
  readonly UPSTREAM_AUTH_HEADER: Variable<string>
  readonly UPSTREAM_TOKEN_HEADERS: Variable<readonly TokenHeaderMapping[] | undefined>
  readonly CACHE_MAX_ENTRIES: Variable<number>
  readonly CACHE_CLEANUP_INTERVAL: Variable<number>
  readonly EXPIRY_SAFETY_MARGIN: Variable<number>
  readonly REFRESH_AHEAD_RATIO: Variable<number>
  readonly MAX_TOKEN_AGE: Variable<number>
  readonly NEGATIVE_CACHE_TTL: Variable<number>
  readonly JWKS_URL: Variable<URL | undefined>
  readonly JWT_HEADER: Variable<string>
  readonly JWT_ISSUER: Variable<string | undefined>
  readonly JWT_AUDIENCE: Variable<readonly string[] | undefined>
  readonly JWT_CLOCK_TOLERANCE: Variable<number>
  readonly JWT_CACHE_MAX_ENTRIES: Variable<number>
  readonly JWKS_MAX_AGE: Variable<number>
  readonly JWKS_MAX_STALE: Variable<number>
  readonly LOG_LEVEL: Variable<LogLevel>
  readonly LOG_FORMAT: Variable<LogFormat>
}

/** The name of one of the server's variables. */
export type VariableName = keyof ConfigShape

/** The value of every variable, each valid on its own. */
export type Settings = { readonly [Name in VariableName]: z.output<ConfigShape[Name]> }
