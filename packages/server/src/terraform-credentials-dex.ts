#!/usr/bin/env node
// Imports nothing of ours that needs a newer Node: see supported-node.ts.
import { isSupportedNode } from './supported-node.ts'

if (isSupportedNode('terraform-credentials-dex')) await import('./terraform/run-helper.ts')
