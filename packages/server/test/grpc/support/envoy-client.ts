import path from 'node:path'
import {
  type ChannelCredentials,
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** Envoy's own protos, as another package ships them. */
const original = path.join(import.meta.dirname, '../../../node_modules/@grpc/grpc-js-xds/deps')
const own = path.join(import.meta.dirname, '../../../proto')

const options = { keepCase: true, longs: Number, enums: String, oneofs: true, defaults: false } as const

/** A header of an answer, as decoded. */
export interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string }
  readonly append_action?: string
  readonly append?: unknown
}

/** A `CheckResponse`, as the original protos decode it; absent fields are absent. */
export interface CheckAnswer {
  readonly status: { readonly code?: number; readonly message?: string } | null
  readonly http_response?: 'ok_response' | 'denied_response'
  readonly ok_response?: { readonly headers?: HeaderOption[]; readonly headers_to_remove?: string[] }
  readonly denied_response?: {
    readonly status: { readonly code: string }
    readonly headers?: HeaderOption[]
    readonly body?: string
  }
  readonly dynamic_metadata?: { readonly fields: Record<string, unknown> } | null
}

type Unary<Request, Answer> = (
  request: Request,
  options: { readonly deadline?: number },
  callback: (error: ServiceError | null, answer: Answer) => void,
) => { cancel(): void }

type Constructor = new (
  address: string,
  channel: ChannelCredentials,
  options?: Readonly<Record<string, string>>,
) => Client

/** Loads a service from protos of this package. */
export function ownService(file: string, name: string): Constructor {
  return serviceIn(loadSync(file, { ...options, includeDirs: [own] }), name)
}

function serviceIn(definition: ReturnType<typeof loadSync>, name: string): Constructor {
  const loaded = loadPackageDefinition(definition) as unknown as Record<string, unknown>
  return name
    .split('.')
    .reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], loaded) as Constructor
}

const definition = loadSync('envoy/service/auth/v3/external_auth.proto', {
  ...options,
  includeDirs: ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map(name =>
    path.join(original, name),
  ),
})
const Authorization = serviceIn(definition, 'envoy.service.auth.v3.Authorization')

/** Decodes a `CheckResponse` by the original protos. */
export const decodeAnswer = (
  definition['envoy.service.auth.v3.Authorization'] as unknown as {
    Check: { responseDeserialize: (bytes: Buffer) => CheckAnswer }
  }
).Check.responseDeserialize

/** Encodes a `CheckRequest` by the original protos. */
export const encodeRequest = (
  definition['envoy.service.auth.v3.Authorization'] as unknown as {
    Check: { requestSerialize: (request: unknown) => Buffer }
  }
).Check.requestSerialize

/** The parts of Envoy's request that tests vary. */
export interface HttpRequest {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Lines, as with `encode_raw_headers`. */
  readonly lines?: readonly (readonly [name: string, value: string | Buffer])[]
  readonly context?: Readonly<Record<string, string>>
}

/** The request of a check, in the form of the original protos. */
export function checkRequest({ lines, context, headers, ...http }: HttpRequest): object {
  const header_map = lines && {
    headers: lines.map(([key, value]) =>
      typeof value === 'string'
        ? { key, raw_value: Buffer.from(value, 'latin1') }
        : { key, raw_value: value },
    ),
  }
  return {
    attributes: {
      source: { address: { socket_address: { address: '192.0.2.1', port_value: 40_000 } } },
      request: {
        time: { seconds: 1_700_000_000, nanos: 5 },
        http: {
          method: 'GET',
          path: '/',
          scheme: 'http',
          protocol: 'HTTP/1.1',
          size: -1,
          headers,
          header_map,
          ...http,
        },
      },
      ...(context && { context_extensions: context }),
    },
  }
}

/** Calls a broker as Envoy does, on one connection, with an independent implementation of gRPC and of the protos. */
export class EnvoyClient implements AsyncDisposable {
  readonly client: Client

  constructor(port: number, channelCredentials: ChannelCredentials = credentials.createInsecure()) {
    // The library refuses an IP address as the name of a server with TLS.
    this.client = new Authorization(`127.0.0.1:${port}`, channelCredentials, {
      'grpc.ssl_target_name_override': 'localhost',
    })
  }

  check(request: HttpRequest, options: { readonly deadline?: number } = {}): Promise<CheckAnswer> {
    return this.send(checkRequest(request), options)
  }

  send(message: object, options: { readonly deadline?: number } = {}): Promise<CheckAnswer> {
    return new Promise((resolve, reject) => {
      this.start(message, options, (error, answer) => (error ? reject(error) : resolve(answer)))
    })
  }

  /** Starts a check; the call that is returned can be cancelled. */
  start(
    message: object,
    options: { readonly deadline?: number },
    callback: (error: ServiceError | null, answer: CheckAnswer) => void,
  ): { cancel(): void } {
    const client = this.client as unknown as { Check: Unary<object, CheckAnswer> }
    return client.Check(message, options, callback)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close()
  }
}
