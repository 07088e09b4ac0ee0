import type { ReservedHeaderPrefixes } from '@broker/core'

/** Header names that Envoy keeps for itself, and why, in words that follow the name. */
export const envoyHeaderPrefixes: ReservedHeaderPrefixes = { 'x-envoy-': 'is a control header of Envoy' }
