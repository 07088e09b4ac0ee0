// What only a suite may import: it needs vitest, which examples and benchmarks do without.
export { type Need, needs } from './needs.ts'
export { vitestSettings } from './vitest-settings.ts'
