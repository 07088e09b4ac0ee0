#!/usr/bin/env node
// Imports nothing of ours that needs a newer Node: see supported-node.ts.
import { catchStopSignals } from './stop-signals.ts'
import { isSupportedNode } from './supported-node.ts'

catchStopSignals()

if (isSupportedNode('dex-token-broker')) await import('./cli.ts')
