// pino as the option `logger`: it fits as it is.
// #region logger
import { type DestinationStream, type Logger, pino } from 'pino'

/** A logger for the broker and for the calls of HTTP clients, whose errors hold a request with its token. */
export function createLogger(destination: DestinationStream = pino.destination(1)): Logger {
  // `err.config.headers` alone is not enough: other fields hold the request too.
  const redact = ['err.config.headers', 'err.options', 'err.request', 'err.response']
  return pino({ redact }, destination)
}
// #endregion logger
