import assert from 'node:assert/strict'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { readBoundedBody } from '../../../packages/core/src/shared/http/read-bounded-body.ts'
import type { Target } from '../target.ts'

const maxBytes = 65_536
const codings = ['gzip', 'deflate', 'br', 'x-gzip', 'identity']
const json = JSON.stringify({ access_token: 'x'.repeat(400), token_type: 'bearer' })
const bomb = gzipSync(Buffer.alloc(8 * maxBytes))

/** Bodies of upstreams: the first byte chooses the coding. Nothing longer than the bound is returned. */
export const contentCodingTarget: Target = {
  name: 'content-coding',
  seeds: [
    gzipSync(json),
    deflateSync(json),
    brotliCompressSync(json),
    bomb,
    deflateRawSync(json),
    Buffer.from(json),
  ].map((body, index) => Buffer.concat([Buffer.of(index % codings.length), body])),
  sources: [
    'packages/core/src/shared/http/decode-content.ts',
    'packages/core/src/shared/http/read-bounded-body.ts',
  ],
  async judge(input) {
    const coding = codings[(input[0] ?? 0) % codings.length] ?? ''
    const body = input.subarray(1)
    const answer = {
      status: 200,
      headers: { get: () => coding },
      body: (async function* chunks() {
        yield body.subarray(0, body.length >> 1)
        yield body.subarray(body.length >> 1)
      })(),
    }
    let text: string | undefined
    try {
      text = await readBoundedBody(answer, maxBytes)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'Z_BUF_ERROR')
      return
    }
    if (text !== undefined) assert.ok(text.length <= maxBytes)
  },
}
