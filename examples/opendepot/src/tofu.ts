import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { findTofu } from '@broker/testing'
import { startTofuStory } from './tofu-story.ts'

const tofuBinary = findTofu()
if (tofuBinary === undefined || !existsSync(tofuBinary)) {
  console.log(`there is no ${tofuBinary ?? 'tofu on the PATH'}; set TOFU_BIN=/path/to/tofu`)
} else {
  await using story = await startTofuStory({ tofuBinary, dexBinary: process.env['DEX_BIN'] || undefined })
  const { code, output, requests } = await story.init()
  assert.equal(code, 0, output)
  console.log(output.trim())
  for (const { path, status, hasToken } of requests)
    console.log(`${status}  ${path}${hasToken ? '  with a token of Dex' : ''}`)
}
