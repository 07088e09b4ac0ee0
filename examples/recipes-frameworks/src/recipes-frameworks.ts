// Starts each recipe as its own process between callers, a Dex look-alike and an API, and tells it the same story.

import { commandLineStory } from './command-line-story.ts'
import { nextjsRouteStory } from './nextjs-route-story.ts'
import { recipeStory } from './recipe-story.ts'

setTimeout(() => {
  throw new Error('the recipes did not come to their end within 5 minutes')
}, 300_000).unref()

const recipes = { fastify: 'fastify.ts', hono: 'hono.ts', koa: 'koa.ts', nestjs: '../dist/nestjs.js' }

for (const [name, file] of Object.entries(recipes)) {
  await recipeStory(file)
  console.log(
    `${name}: 401, 403, 503, one token request for 20 calls, no call for a client that left, a clean end`,
  )
}
await nextjsRouteStory()
console.log('nextjs-route: one broker and one token request, although the file was evaluated three times')
await commandLineStory()
console.log('command-line: exit codes 0, 1, 75 and 78')
