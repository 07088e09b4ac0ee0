export { dexMachineOf } from '../gate/dex-machine.ts'
export type { UnusableKey, UsableKey } from '../gate/keys/key-set.ts'
export { discoveryUrlOf } from '../issuer/discovery-url-of.ts'
export { bugHint } from '../shared/bug-hint.ts'
export {
  type ClockDifference,
  certainSkewMs,
  clockDifference,
  type DatedAnswer,
  dateResolutionMs,
} from '../shared/clock-difference.ts'
export { type ClockSkewSeverity, clockSkewBounds, clockSkewSeverity } from '../shared/clock-skew-severity.ts'
export { networkFailureCode, networkFailureHint } from '../shared/http/network-failure.ts'
export { problemOfStatus } from '../shared/http/upstream-status.ts'
export { sealedKeyId } from '../tokens/shared-store/seal-key.ts'
export { type DecodedJwt, decodeJwt } from './decode-jwt.ts'
export { type KeySetReading, readKeySet } from './read-key-set.ts'
