// winston as the option `logger`: it takes the text first.
// #region logger
import type { Logger } from '@broker/core'
import type winston from 'winston'

/** The option `logger` from a logger of winston. */
export function winstonLogger(log: winston.Logger): Logger {
  return {
    debug: (fields, message) => void log.debug(message, fields),
    info: (fields, message) => void log.info(message, fields),
    warn: (fields, message) => void log.warn(message, fields),
    error: (fields, message) => void log.error(message, fields),
  }
}
// #endregion logger
