import { describe, it } from 'vitest'
import { startRealDex } from '../src/index.ts'
import { describeConformance } from './describe-conformance.ts'

const binary = process.env['DEX_BIN']
const howToRun = 'skipped: set DEX_BIN to a dex binary built after 2026-03-03 to run the suite against it'

describe('a real Dex', () => {
  if (binary) {
    describeConformance(options => startRealDex(binary, options))
  } else {
    it.skip(howToRun, () => {})
    // The default reporter names the file of a skipped test, but not the test.
    console.info(`real Dex: ${howToRun}`)
  }
})
