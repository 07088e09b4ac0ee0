import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import { networkFailureCode, networkFailureHint } from '../shared/http/network-failure.ts'
import type { Transport, TransportRequest, TransportResponse } from '../shared/http/transport.ts'
import { readCaFile, readTokenFile } from './mounted-files.ts'

export interface ApiServerTransportOptions {
  /** The name of the issuer, for hints. */
  readonly name: string
  /** The only origin that requests may go to. */
  readonly origin: string
  readonly caFile: string
  readonly tokenFile: string
}

/** A request to the API server, complete. */
interface AuthorizedRequest extends TransportRequest {
  readonly ca: string
  readonly token: string
}

/**
 * Creates a transport that trusts the CA of the API server only and sends it the broker's service account token.
 *
 * It reads both files for each request: there are a few an hour, a projected token is replaced within the hour, and a read file
 * needs no watcher. Each request has its own connection, so that a new CA takes effect at once and nothing keeps the process alive.
 */
export function createApiServerTransport(options: ApiServerTransportOptions): Transport {
  const { name, origin, caFile, tokenFile } = options
  const [caOption, tokenOption] = [`issuers.${name}.caFile`, `issuers.${name}.tokenFile`]

  async function sendWith(token: string, url: string, order: TransportRequest): Promise<IncomingMessage> {
    const ca = await readCaFile(caFile, caOption)
    try {
      return await send(url, { ...order, ca, token })
    } catch (error) {
      const hint = networkFailureHint(networkFailureCode(error), caOption)
      if (hint?.problem !== 'certificate_not_trusted') throw error
      throw unavailable({ ...hint, detail: caFile }, error)
    }
  }

  return async (url, order) => {
    if (new URL(url).origin !== origin) {
      throw new TypeError(`the transport of the issuer ${name} sends requests to ${origin} only`)
    }
    const token = await readTokenFile(tokenFile, tokenOption)
    const response = await sendWith(token, url, order)
    if (response.statusCode !== 401) return asTransportResponse(response)
    // The kubelet may have replaced the token since it was read.
    const renewed = await readTokenFile(tokenFile, tokenOption)
    if (renewed === token) return asTransportResponse(response)
    response.destroy()
    return asTransportResponse(await sendWith(renewed, url, order))
  }
}

function send(url: string, order: AuthorizedRequest): Promise<IncomingMessage> {
  const { method, headers, body, signal, ca, token } = order
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: { ...headers, authorization: `Bearer ${token}` },
        signal,
        agent: false,
        ca,
        // An intermediate CA in the file suffices, as for every Go client of the API server.
        allowPartialTrustChain: true,
      },
      resolve,
    )
    sent.on('error', reject).end(body)
  })
}

function asTransportResponse(response: IncomingMessage): TransportResponse {
  return {
    status: response.statusCode ?? 0,
    headers: { get: name => firstValue(response.headers[name]) },
    body: response,
  }
}

function firstValue(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}

function unavailable(hint: Hint, cause: unknown): BrokerError {
  return new BrokerError('jwks_unavailable', 'the Kubernetes API server is unavailable', {
    transient: true,
    hint,
    cause,
  })
}
