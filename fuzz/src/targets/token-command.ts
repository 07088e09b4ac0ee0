import assert from 'node:assert/strict'
import { WrongArguments } from '../../../packages/server/src/command-line/wrong-arguments.ts'
import {
  cacheEntryBytes,
  cacheHeaderLength,
  readCacheEntry,
} from '../../../packages/server/src/token/cache/cache-entry.ts'
import { execCredentialVersion } from '../../../packages/server/src/token/exec-credential.ts'
import { assertExpected } from '../expected-error.ts'
import type { Target } from '../target.ts'

const entry = cacheEntryBytes({
  fence: 1_900_000_000_000_000,
  expiresAt: Date.UTC(2030, 0, 1),
  value: Buffer.from('sealed'),
})

/** The file of a cached token. What is read writes the same file again. */
export const cacheEntryTarget: Target = {
  name: 'cache-entry',
  seeds: [entry, entry.subarray(0, cacheHeaderLength), entry.subarray(0, 7)],
  dictionary: ['DTB1', 'DTB2', '\0\0\0\0\0\0\0\0', '\u00ff\u00ff\u00ff'],
  sources: ['packages/server/src/token/cache/cache-entry.ts'],
  judge(input) {
    const read = readCacheEntry(input)
    if (read === undefined) return
    assert.ok(Number.isSafeInteger(read.fence) && read.fence > 0 && Number.isSafeInteger(read.expiresAt))
    assert.ok(input.equals(cacheEntryBytes(read)))
  },
}

/** KUBERNETES_EXEC_INFO. Only the versions that exist come through. */
export const execInfoTarget: Target = {
  name: 'exec-info',
  isJson: true,
  seeds: [
    '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}',
    '{"apiVersion":"client.authentication.k8s.io/v1beta1"}',
    '{"apiVersion":"client.authentication.k8s.io/v1alpha1"}',
  ],
  dictionary: ['"apiVersion":', 'client.authentication.k8s.io/', 'null', '[]'],
  sources: ['packages/server/src/token/exec-credential.ts'],
  judge(input) {
    try {
      assert.match(execCredentialVersion(input.toString()), /^client\.authentication\.k8s\.io\/v1(beta1)?$/)
    } catch (error) {
      assertExpected(error instanceof WrongArguments, error)
      assert.ok(error.message.length < 700 && !error.message.includes('\n'))
    }
  },
}
