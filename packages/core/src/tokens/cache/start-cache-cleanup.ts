import type { TokenCache } from './token-cache.ts'

/** Tokens removed per turn of the event loop, which takes a fraction of a millisecond unless a large `Map` shrinks. */
const tokensPerTurn = 200

/**
 * Removes expired tokens every `intervalMs`, so that they do not stay in memory until the next lookup.
 *
 * Keeps no process alive. Returns a function that stops it.
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
