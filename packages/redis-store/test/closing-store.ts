// Uses a store as a process does: listens, calls, closes. Prints how the calls ended.
import { argv } from 'node:process'
import { redisTokenStore } from '../src/index.ts'

const store = redisTokenStore({ url: argv[2] ?? '' })
store.onForgotten(() => {})
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    () => 'rejected',
  )
// The store that hangs answers neither; `close` ends the wait.
const early = outcome(store.get('early', 0))
const isEarlyOver = await Promise.race([early, new Promise(resolve => setTimeout(resolve, 200, undefined))])
await store.close()
const outcomes = [isEarlyOver ?? `${await early} by close`, await outcome(store.get('late', 0))]
console.log(JSON.stringify(outcomes))
