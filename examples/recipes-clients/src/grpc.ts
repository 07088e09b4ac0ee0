// gRPC call credentials with @grpc/grpc-js.
import { BrokerError, type TokenBroker } from '@broker/core'
import {
  type CallCredentials,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js'

// #region credentials
/** Adds the broker's token to each call. grpc-js sends call credentials over TLS only. */
export function tokenCredentials(broker: TokenBroker): CallCredentials {
  return credentials.createFromMetadataGenerator((_, callback) => {
    broker.getToken().then(
      ({ headers }) => {
        const metadata = new Metadata()
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
        callback(null, metadata)
      },
      (error: unknown) => callback(statusError(error)),
    )
  })
}

/** grpc-js ends the call with the error's numeric `code`, and with UNKNOWN when there is none. */
function statusError(error: unknown): Error {
  if (!BrokerError.is(error)) return Object.assign(new Error('no token'), { code: status.INTERNAL })
  const code = error.transient ? status.UNAVAILABLE : status.UNAUTHENTICATED
  return Object.assign(new Error(`${error.code}: ${error.message}`), { code })
}
// #endregion credentials

/** Replaces a token that the server refuses with UNAUTHENTICATED, and repeats the call once. Streams are not repeated. */
export function repeatUnauthenticated(broker: TokenBroker): Interceptor {
  return (options, nextCall) => {
    const first = nextCall(options)
    const { requestStream, responseStream } = options.method_definition
    if (requestStream || responseStream) return new InterceptingCall(first)
    let running = first
    let request: unknown
    return new InterceptingCall(first, {
      start(metadata, listener, next) {
        const token = broker.peekToken()
        let answer: unknown = null
        next(metadata, {
          onReceiveMetadata: (received: Metadata) => listener.onReceiveMetadata(received),
          onReceiveMessage(message: unknown) {
            answer = message
          },
          onReceiveStatus(ended: StatusObject) {
            // Without a token, the status is the broker's own, and a second try would end in the same way.
            const refused = token ?? broker.peekToken()
            if (ended.code === status.UNAUTHENTICATED && refused !== undefined) {
              broker.invalidate(refused)
              running = nextCall(options)
              running.start(metadata, listener)
              running.sendMessage(request)
              running.halfClose()
              return
            }
            listener.onReceiveMessage(answer)
            listener.onReceiveStatus(ended)
          },
        })
      },
      sendMessage(message, next) {
        request = message
        next(message)
      },
      cancel(next) {
        if (running === first) next()
        else running.cancelWithStatus(status.CANCELLED, 'Cancelled on client')
      },
    })
  }
}
