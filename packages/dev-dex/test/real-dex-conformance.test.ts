import { needs } from '@broker/testing/vitest'
import { describe } from 'vitest'
import { startRealDex } from '../src/index.ts'
import { describeConformance } from './describe-conformance.ts'

// A binary that was built after 2026-03-03: older ones lack the client_credentials grant.
const binary = process.env['DEX_BIN'] ?? ''

describe('a real Dex', needs({ DEX_BIN: binary !== '' }), () => {
  describeConformance(options => startRealDex(binary, options))
})
