// Only suites may import this entry: it needs vitest, which examples and benchmarks do not have.
export { type Need, needs } from './needs.ts'
export { vitestSettings } from './vitest-settings.ts'
