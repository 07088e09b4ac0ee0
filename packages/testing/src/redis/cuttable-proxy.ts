import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy in front of a server on 127.0.0.1. */
export interface CuttableProxy extends AsyncDisposable {
  readonly port: number
  /** How many connections it has accepted. */
  readonly accepted: number
  /** `drop` closes all connections and those to come; `blackhole` keeps them open and forwards nothing. */
  cut(how: 'drop' | 'blackhole'): void
  /** Forwards new connections again; those that were cut stay so. */
  mend(): void
  /** Holds back every answer for a time, in milliseconds; 0 ends it. */
  delay(ms: number): void
}

/** Starts a proxy in front of a port. */
export async function startCuttableProxy(target: number): Promise<CuttableProxy> {
  const pairs = new Set<Pair>()
  let state: 'forward' | 'drop' | 'blackhole' = 'forward'
  let delayMs = 0
  let accepted = 0

  const server = createServer(near => {
    accepted++
    const pair: Pair = { near, far: connect(target, '127.0.0.1'), isLost: state === 'blackhole' }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      pair.far.destroy()
    }
    near.on('error', end).on('close', end)
    pair.far.on('error', end).on('close', () => pair.isLost || end())
    near.on('data', data => pair.isLost || pair.far.write(data))
    pair.far.on('data', data => {
      const forward = () => pair.isLost || near.write(data)
      if (delayMs === 0) forward()
      else setTimeout(forward, delayMs)
    })
    if (state === 'drop') end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted
    },
    cut(how) {
      state = how
      for (const pair of pairs) {
        if (how === 'drop') pair.near.destroy()
        else pair.isLost = true
      }
    },
    mend() {
      state = 'forward'
    },
    delay(ms) {
      delayMs = ms
    },
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      server.close()
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
      await once(server, 'close')
    },
  }
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
  isLost: boolean
}
