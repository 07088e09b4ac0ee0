import { needs } from '@broker/testing/vitest'
import { describe } from 'vitest'
import { startDevDex } from '../src/index.ts'
import { startRealDex } from '../src/real-dex.ts'
import type { StartIssuer } from './conformance-issuer.ts'
import { describeConformance } from './describe-conformance.ts'
import { describeUpstreamExchange } from './describe-upstream-exchange.ts'

// A binary that was built after 2026-03-03: older ones lack the client_credentials grant.
const binary = process.env['DEX_BIN'] ?? ''

const start: StartIssuer = options => startRealDex(binary, options)

describe('a real Dex', needs({ DEX_BIN: binary !== '' }), () => {
  describeConformance(start)
  describe('downstream of the look-alike', () => describeUpstreamExchange(startDevDex, start))
  describe('upstream of the look-alike', () => describeUpstreamExchange(start, startDevDex))
})
