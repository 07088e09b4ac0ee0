import { parseArgs } from 'node:util'
import { availableModes, type ModeName, modeNames } from './mode.ts'
import { type SettingGroupName, settingGroupNames } from './settings/setting-groups.ts'

export interface BenchOptions {
  readonly modes: readonly ModeName[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly connections: number
  readonly newJwts: number
  /** Where the figures go as JSON. */
  readonly out: string | undefined
  /** Whether calls of the library are measured, and the time to the first answered check. */
  readonly library: boolean
  readonly startUp: boolean
  /** Whether requests through a real Envoy are measured. */
  readonly envoy: boolean
  /** Groups of settings that are measured. */
  readonly settings: readonly SettingGroupName[]
  readonly publish: boolean
}

export const benchUsage = `Usage: pnpm bench [options]

What a check costs: our server beside a bare node:http server, and beside the Go service when PEER_BIN names it.
Over gRPC: beside the same over HTTP, and a bare grpc-go server when GRPC_PEER_BIN names it.

  --modes=a,b      ${modeNames.join(', ')} (default: all;
                   store only with SHARED_STORE_URL)
  --library        calls of the library, inside one process, instead
  --startup        the time to the first answered check, instead
  --envoy          requests through a real Envoy instead: our server over HTTP and over gRPC, the Go service, and
                   Envoy's own credential_injector
  --settings=a,b   our server with and without a setting, instead: all, or some of
                   ${settingGroupNames.join(', ')}
  --rounds=5       how often each server is measured in turn
  --seconds=2      how long each time, in whole seconds
  --connections=16 connections that are kept busy
  --quick          3 rounds of 1 s
  --out=file       where the figures go as JSON (default: bench/results/latest.json)
  --publish        measures all of it, and writes it into docs/performance.md, docs/performance.svg and docs/comparison.md
`

/** `undefined` when help is wanted; throws when something is wrong. */
export function readBenchOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      modes: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string', default: '16' },
      library: { type: 'boolean', default: false },
      startup: { type: 'boolean', default: false },
      envoy: { type: 'boolean', default: false },
      settings: { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const { quick, publish } = values
  const servers = publish || !(values.library || values.startup || values.envoy || values.settings)
  return {
    modes:
      values.modes?.split(',').map(text => oneOf('modes', modeNames, text)) ??
      (servers ? availableModes : []),
    rounds: positive('rounds', values.rounds ?? (quick ? '3' : '5')),
    seconds: positive('seconds', values.seconds ?? (quick ? '1' : '2')),
    warmUpSeconds: quick ? 1 : 2,
    connections: positive('connections', values.connections),
    // More than the verified JWTs that are remembered (4,096), so that each is forgotten before it is sent again.
    newJwts: quick ? 6_000 : 20_000,
    out: values.out,
    library: values.library || publish,
    startUp: values.startup || publish,
    envoy: values.envoy || publish,
    settings: settingGroupsOf(values.settings ?? (publish ? 'all' : '')),
    publish,
  }
}

function settingGroupsOf(text: string): readonly SettingGroupName[] {
  if (text === '') return []
  return text === 'all'
    ? settingGroupNames
    : text.split(',').map(each => oneOf('settings', settingGroupNames, each))
}

function oneOf<Name extends string>(option: string, names: readonly Name[], text: string): Name {
  const name = names.find(known => known === text)
  if (name === undefined) throw new TypeError(`--${option}: "${text}" is none of ${names.join(', ')}`)
  return name
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${name} must be a whole number above 0`)
  return value
}
