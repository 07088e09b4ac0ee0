import type { BrokerStatus, CircuitState, KeySetStatus, OutageStatus } from '@broker/core'
import { Gauge, type Registry } from 'prom-client'
import { tokenEndpointsOf } from './token-endpoints-of.ts'

/** Adds the gauges of a broker's status, which is read once for all of them when Prometheus asks. */
export function addStatusMetrics(registry: Registry, prefix: string, read: () => BrokerStatus): void {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge<Label>({ name: prefix + name, help, labelNames, registers: [registry] })

  new Gauge({
    name: `${prefix}waiting_callers`,
    help: 'Checks that wait for a token or for keys now; MAX_WAITING_CHECKS is the limit.',
    registers: [registry],
    // The first gauge sets the others: a registry collects in this order.
    collect() {
      const status = read()
      this.set(status.work.waitingCallers)
      inFlight.set(status.work.tokensInFlight)
      showIssuers(status)
      showClients(status)
      showSharedStore(status)
    },
  })
  const inFlight = gauge(
    'tokens_in_flight',
    'Tokens that are being obtained now; checks for the same token share each.',
  )
  const running = gauge('token_requests_running', 'Requests to the token endpoint under way now.', 'issuer')
  const waiting = gauge(
    'token_requests_waiting',
    'Requests to the token endpoint that wait for others to end; DEX_MAX_CONNECTIONS is the limit.',
    'issuer',
  )
  const circuitOpen = gauge(
    'circuit_open',
    '1 while the circuit in front of a token endpoint is open, else 0; by issuer and by the clients that share it.',
    'issuer',
    'clients',
  )
  const discoveryFailing = gauge(
    'discovery_failing',
    '1 while the discovery document of an issuer is needed and cannot be read, else 0.',
    'issuer',
  )
  const keySetFailing = gauge(
    'key_set_failing',
    '1 while the key set of an issuer cannot be loaded or refreshed, or has no usable key, else 0.',
    'issuer',
  )
  const keySetAge = gauge(
    'key_set_age_seconds',
    'Age of the key set in use; no series before the first one is loaded.',
    'issuer',
  )
  const clockSkew = gauge(
    'clock_skew_seconds',
    'Difference between the clock of this host and of an issuer: positive when this host is ahead. A lower bound by the Date of the last answer; 0 when the clocks may agree.',
    'issuer',
  )
  const clientExpiry = gauge(
    'client_token_expires_in_seconds',
    'Time until the cached token of a configured client expires; no series without a token.',
    'client',
  )
  const clientFailing = gauge(
    'client_failing',
    '1 from the first failed token request of a configured client until its next token, else 0.',
    'client',
  )
  const clientCircuit = gauge(
    'client_circuit_open',
    '1 while the circuit of a configured client alone is open, else 0.',
    'client',
  )

  const sharedStoreCircuit = gauge(
    'shared_store_circuit_open',
    '1 while the circuit of the shared store is open: each replica requests its own tokens; else 0. No series without a store.',
  )

  function showSharedStore({ sharedStore }: BrokerStatus): void {
    if (sharedStore === undefined) sharedStoreCircuit.remove()
    else sharedStoreCircuit.set(isOpen(sharedStore.circuit))
  }

  function showIssuers({ issuers, at }: BrokerStatus): void {
    const gauges = [running, waiting, circuitOpen, discoveryFailing, keySetFailing, keySetAge, clockSkew]
    for (const each of gauges) each.reset()
    for (const { name: issuer, endpoint } of issuers.flatMap(each => tokenEndpointsOf(each))) {
      running.set({ issuer }, endpoint.running)
      waiting.set({ issuer }, endpoint.waiting)
      for (const [clients, circuit] of Object.entries(endpoint.circuits)) {
        circuitOpen.set({ issuer, clients }, isOpen(circuit.state))
      }
    }
    for (const { name: issuer, discovery, keySet, clockSkew: skew } of issuers) {
      if (discovery !== undefined) discoveryFailing.set({ issuer }, lasts(discovery.outage))
      if (keySet !== undefined)
        keySetFailing.set({ issuer }, hasNoUsableKey(keySet) ? 1 : lasts(keySet.outage))
      if (keySet?.loadedAt !== undefined) keySetAge.set({ issuer }, seconds(at - keySet.loadedAt))
      if (skew !== undefined) clockSkew.set({ issuer }, skew.skewMs / 1000)
    }
  }

  function showClients({ clients, at }: BrokerStatus): void {
    for (const each of [clientExpiry, clientFailing, clientCircuit]) each.reset()
    for (const { name: client, token, outage, circuit } of clients) {
      if (token !== undefined) clientExpiry.set({ client }, seconds(token.expiresAt - at))
      clientFailing.set({ client }, lasts(outage))
      clientCircuit.set({ client }, isOpen(circuit?.state))
    }
  }
}

function isOpen(state: CircuitState | undefined): number {
  return state === undefined || state === 'closed' ? 0 : 1
}

function hasNoUsableKey({ loadedAt, keys }: KeySetStatus): boolean {
  return loadedAt !== undefined && keys === 0
}

function lasts(outage: OutageStatus | undefined): number {
  return outage !== undefined && outage.until === undefined ? 1 : 0
}

/** The clock can be set back between two readings. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1000
}
