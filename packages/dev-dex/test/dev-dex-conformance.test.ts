import { describe } from 'vitest'
import { startDevDex } from '../src/index.ts'
import { describeConformance } from './describe-conformance.ts'

describe('the look-alike', () => describeConformance(startDevDex))
