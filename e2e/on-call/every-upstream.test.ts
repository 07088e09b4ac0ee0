import { startDevDex } from '@broker/dev-dex'
import { freePort, startBroker } from '@broker/testing'
import { expect, test } from 'vitest'
import { fixturePath, tlsIdentity } from './on-call-scene.ts'

interface Fault {
  /** The variables for a fault in the server behind this variable, which reads `issuer` or `jwksUri`. */
  readonly environment: (of: 'issuer' | 'jwksUri') => Promise<[string, Readonly<Record<string, string>>]>
  readonly evidence: RegExp
}

type Identity = 'dex' | 'expired' | 'other-host'

async function servedWith(name: Identity, of: 'issuer' | 'jwksUri'): Promise<string> {
  const dex = await startDevDex({ tls: tlsIdentity(name) })
  running.push(dex)
  return dex[of]
}

const running: AsyncDisposable[] = []

const faults: Readonly<Record<string, Fault>> = {
  'a refused connection': {
    environment: async () => [`http://127.0.0.1:${await freePort()}/dex`, {}],
    evidence: /ECONNREFUSED/,
  },
  'a host name that does not resolve': {
    environment: async () => ['https://dex.invalid/dex', {}],
    evidence: /ENOTFOUND|EAI_AGAIN/,
  },
  'an expired certificate': {
    environment: async of => [await servedWith('expired', of), { DEX_CA_FILE: fixturePath('expired.crt') }],
    evidence: /CERT_HAS_EXPIRED/,
  },
  'a certificate for another host': {
    environment: async of => [
      await servedWith('other-host', of),
      { DEX_CA_FILE: fixturePath('other-host.crt') },
    ],
    evidence: /ERR_TLS_CERT_ALTNAME_INVALID/,
  },
  'no answer in time': {
    environment: async of => {
      const dex = await startDevDex()
      running.push(dex)
      dex.setFault('discovery', { kind: 'hang' })
      dex.setFault('keys', { kind: 'hang' })
      return [dex[of], { HTTP_TIMEOUT: '1s' }]
    },
    evidence: /HTTP_TIMEOUT/,
  },
}

const cases = Object.entries(faults).flatMap(([name, fault]) => [
  { name, variable: 'DEX_ISSUER', of: 'issuer' as const, fault },
  { name, variable: 'JWKS_URL', of: 'jwksUri' as const, fault },
])

test.each(cases)('$name at $variable is logged with that variable', async ({ variable, of, fault }) => {
  const [url, environment] = await fault.environment(of)
  try {
    const gate = { JWT_AUDIENCE: 'orders', STATIC_CLIENT_ID: 'reports', STATIC_CLIENT_SECRET: 'secret' }
    await using broker = await startBroker({
      ...(variable === 'JWKS_URL' && gate),
      ...environment,
      [variable]: url,
    })
    await (await fetch(`http://127.0.0.1:${broker.adminPort}/readyz`)).text()
    const line = await broker.process.until('a line about the fault', () =>
      broker.process.log.split('\n').find(text => fault.evidence.test(text)),
    )
    expect((JSON.parse(line) as { hint: string }).hint).toContain(variable)
  } finally {
    for (const server of running.splice(0)) await server[Symbol.asyncDispose]()
  }
})
