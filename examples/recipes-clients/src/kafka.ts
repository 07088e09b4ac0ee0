// Kafka with SASL/OAUTHBEARER (RFC 7628), by kafkajs.
import { BrokerError, type TokenBroker } from '@broker/core'
import type { Mechanism } from 'kafkajs'

// #region sasl
/** The option `sasl` of kafkajs: the broker's token for each connection, and again before the session of a connection ends. */
export function oauthBearer(broker: TokenBroker): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const token = await broker.getToken().catch(failure => {
          throw saslError(failure.message, failure, BrokerError.is(failure) && failure.transient)
        })
        const first = saslMessage(`n,,\u0001auth=Bearer ${token.accessToken}\u0001\u0001`)
        // Kafka answers nothing when it accepts the token, and JSON when it refuses it.
        const answer = await saslAuthenticate({ request: first, response: saslText })
        if (!answer) return
        const last = saslAuthenticate({ request: saslMessage('\u0001'), response: saslText })
        const failure = await last.catch(ended => ended)
        throw saslError('Kafka refused the token', failure, broker.invalidate(token))
      },
    }),
  }
}
// #endregion sasl

/** kafkajs tries again when an error is `retriable`. */
function saslError(message: string, cause: unknown, retriable: boolean): Error {
  return Object.assign(new Error(message, { cause }), { retriable })
}

/** Kafka's type BYTES: the length, then the content. */
function saslMessage(text: string) {
  const content = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length)
  return { encode: () => Buffer.concat([length, content]) }
}

const saslText = {
  decode: (bytes: Buffer) => bytes.subarray(4),
  parse: (content: Buffer) => content.toString(),
}
