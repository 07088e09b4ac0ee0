#!/usr/bin/env node
// A command that prints the orders: it gets a token from Dex, calls the API once, and exits.
import { BrokerError, createFetch, TokenBroker } from '@broker/core'
import { hintText } from '@broker/core/options'

/** 75 and 78 as in sysexits.h: try again later, or correct the settings first. */
const exitCodes = { done: 0, refused: 1, temporaryFailure: 75, misconfigured: 78 }

const { DEX_ISSUER, CLIENT_SECRET, ORDERS_URL } = process.env
if (!DEX_ISSUER || !CLIENT_SECRET || !ORDERS_URL) {
  console.error('DEX_ISSUER, CLIENT_SECRET and ORDERS_URL must be set')
  process.exit(exitCodes.misconfigured)
}

const broker = new TokenBroker({
  issuer: DEX_ISSUER, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret: CLIENT_SECRET, audiences: ['orders'] },
})
const callOrders = createFetch(broker, { allow: [ORDERS_URL] })

async function printOrders(): Promise<number> {
  const orders = await callOrders(`${ORDERS_URL}/orders`, { signal: AbortSignal.timeout(10_000) })
  if (orders.ok) {
    console.log(await orders.text())
    return exitCodes.done
  }
  console.error(`the API answered with status ${orders.status}`)
  return orders.status >= 500 ? exitCodes.temporaryFailure : exitCodes.refused
}

function explain(error: unknown): number {
  if (!BrokerError.is(error)) {
    // The API could not be reached, or not in time. `fetch failed` alone does not say why.
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
    console.error(`no answer from the API: ${cause?.code ?? cause ?? error}`)
    return exitCodes.temporaryFailure
  }
  console.error(error.hint ? `${error.message}: ${hintText(error.hint)}` : error.message)
  return error.transient ? exitCodes.temporaryFailure : exitCodes.misconfigured
}

process.exitCode = await printOrders().catch(explain)
await broker.close()
