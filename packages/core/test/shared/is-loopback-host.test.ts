import { expect, test } from 'vitest'
import { isLoopbackHost } from '../../src/shared/is-loopback-host.ts'

test.each([
  ...['localhost', 'LOCALHOST', '127.0.0.1', '127.9.8.7', '::1', '[::1]'],
  ...['::ffff:127.0.0.1', '[::ffff:7f00:1]', '0:0:0:0:0:0:0:1'],
])('%s is this host', host => expect(isLoopbackHost(host)).toBe(true))

test.each([
  ...['', 'localhost.example.com', 'localhost.', '127.0.0.1.example.com', '127.1', '128.0.0.1', '0.0.0.0'],
  ...['::', '::2', '::ffff:10.0.0.1', 'dex', '[127.0.0.1', '127.0.0.1:8080'],
])('%s is not', host => expect(isLoopbackHost(host)).toBe(false))
