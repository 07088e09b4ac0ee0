export { ManualClock } from '@broker/testing'
