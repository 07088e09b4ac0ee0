// Uses a store as a process does: listens, calls, closes. Prints how the calls ended.
import { argv } from 'node:process'
import { redisTokenStore } from '../src/index.ts'

const [, , url = '', hangs] = argv
const store = redisTokenStore({ url })
store.onForgotten(() => {})
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    () => 'rejected',
  )
const early = outcome(store.get('early', 0))
// real time: a store that hangs answers nothing that could be waited for
if (hangs === 'hangs') await new Promise(resolve => setTimeout(resolve, 200))
else await early
await store.close()
console.log(JSON.stringify([await early, await outcome(store.get('late', 0))]))
