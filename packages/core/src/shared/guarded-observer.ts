import type { BrokerObserver } from './broker-event.ts'
import type { Logger } from './logger.ts'

/** Logs the errors of an observer, so that metrics cannot break checks. */
export function guardedObserver(observe: BrokerObserver, logger: Logger): BrokerObserver {
  return event => {
    try {
      observe(event)
    } catch (error) {
      const hint = 'correct the observer: it must not throw'
      logger.error({ err: error, hint }, 'observer failed')
    }
  }
}
