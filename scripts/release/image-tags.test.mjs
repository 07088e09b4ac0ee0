import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageTags, isImageReference } from './image-tags.mjs'

test('a version of major 0 has no tag for its major', () => {
  assert.deepEqual(imageTags('0.1.0'), ['0.1.0', '0.1', 'latest'])
  assert.deepEqual(imageTags('1.2.3'), ['1.2.3', '1.2', '1', 'latest'])
})

test('a pre-release moves no other tag', () => {
  assert.deepEqual(imageTags('1.2.3-rc.1'), ['1.2.3-rc.1'])
})

test('what is not a version gets no tags', () => {
  for (const version of ['', 'v1.2.3', '1.2', 'latest', '1.2.3+build']) {
    assert.throws(() => imageTags(version), /is not a version/)
  }
})

test('references that registries refuse are found', () => {
  assert.ok(isImageReference('ghcr.io/acme/dex-token-broker:0.1.0'))
  assert.ok(isImageReference('127.0.0.1:5000/a/b_c:1'))
  for (const text of [
    'ghcr.io/Acme/image:1',
    'image:1',
    'ghcr.io/a/b',
    'ghcr.io/a/b:-1',
    `ghcr.io/a/b:${'1'.repeat(129)}`,
  ]) {
    assert.ok(!isImageReference(text), text)
  }
})
