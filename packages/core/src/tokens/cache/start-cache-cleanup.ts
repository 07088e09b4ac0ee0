import type { TokenCache } from './token-cache.ts'

/** Tokens removed in one turn of the event loop: a fraction of a millisecond, but for the turn in which a large `Map` shrinks. */
const tokensPerTurn = 200

/**
 * Removes expired tokens from time to time, so that they do not stay in memory until somebody asks for them.
 *
 * Keeps no process alive. Returns what stops it.
 */
export function startCacheCleanup(cache: TokenCache, intervalMs: number): () => void {
  let rest: NodeJS.Immediate | undefined
  const cleanUp = () => {
    rest = cache.removeExpired(tokensPerTurn) === tokensPerTurn ? setImmediate(cleanUp).unref() : undefined
  }
  const timer = setInterval(cleanUp, intervalMs).unref()
  return () => {
    clearInterval(timer)
    clearImmediate(rest)
  }
}
