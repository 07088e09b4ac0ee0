import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import path from 'node:path'
import { promisify } from 'node:util'
import { brokerCommand, createCertificateAuthority, listening, programNeed } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { startDex } from '../support/start-broker.ts'
import { TokenUser } from './run-token-command.ts'

test(
  'kubectl sends the token of the documented kubeconfig, and its next call needs no token request',
  needs(programNeed('kubectl')),
  async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const authority = createCertificateAuthority('Kubernetes CA')
    const sent: (string | undefined)[] = []
    // Over plain HTTP, kubectl sends no token.
    const server = createServer(authority.issue('127.0.0.1'), ({ url, headers }, response) => {
      if (url === '/version') sent.push(headers.authorization)
      response.setHeader('content-type', 'application/json').end('{}')
    })
    await using open = await listening(server as unknown as Parameters<typeof listening>[0])
    const file = (name: string, text: string, mode = 0o600) => {
      writeFileSync(path.join(user.home, name), text, { mode })
      return path.join(user.home, name)
    }
    const documented = readFileSync(new URL('kubeconfig.yaml', import.meta.url), 'utf8')
    const kubeconfig = file(
      'kubeconfig',
      documented.replace(
        'https://kubernetes.example.com',
        `https://127.0.0.1:${open.port}, certificate-authority: ${file('ca.crt', authority.cert)}`,
      ),
    )
    const clients = '[{ name: kubectl, clientId: orders, clientSecret: { env: ORDERS_SECRET } }]'
    file('dex-token-broker', `#!/bin/sh\nexec "${process.execPath}" "${brokerCommand}" "$@"\n`, 0o700)
    const env = {
      ...user.environment(dex),
      PATH: `${user.home}:${process.env['PATH']}`,
      CONFIG_FILE: file('broker.yaml', `clients: ${clients}\n`),
      ORDERS_SECRET: 'orders-secret',
      KUBECONFIG: kubeconfig,
    }
    for (const _ of [1, 2]) await promisify(execFile)('kubectl', ['get', '--raw', '/version'], { env })
    expect(sent).toHaveLength(2)
    expect(sent[1]).toBe(sent[0])
    expect(decodeJwt(sent[0]?.replace('Bearer ', '') ?? '').aud).toBe('orders')
    expect(dex.counts.tokenRequests).toBe(1)
  },
)
