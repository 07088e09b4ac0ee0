import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { WireReader } from './wire-reader.ts'

/** More than the routes of a large Envoy. */
const maxKnown = 1_000
const maxKnownCharacters = 4_096
/** More than a route has; rules refuse more than 200. */
const maxEntries = 256

/**
 * The contexts of routes by the bytes of their entries, as Latin-1. They come from Envoy's configuration and are few, so each is decoded
 * once. All are forgotten when there are too many, so that contexts of former routes, or of a caller that makes them up, do not stay.
 */
export class RouteContexts {
  readonly #known = new Map<string, Readonly<Record<string, string>>>()

  /** Returns the context with these entries. Throws a `GrpcFailure` for malformed ones, and for more than 256. */
  of(entries: readonly string[]): Readonly<Record<string, string>> {
    if (entries.length > maxEntries) {
      throw new GrpcFailure(grpcStatus.invalidArgument, 'the context of the route has too many entries')
    }
    // With the lengths, always: without them, one entry could be made to look like several of another route.
    const key = `${entries.map(({ length }) => length).join()}:${entries.join('')}`
    let context = this.#known.get(key)
    if (context === undefined) {
      context = decoded(entries)
      if (key.length > maxKnownCharacters) return context
      if (this.#known.size >= maxKnown) this.#known.clear()
      this.#known.set(key, context)
    }
    return context
  }
}

function decoded(entries: readonly string[]): Readonly<Record<string, string>> {
  // Without a prototype, because a key may have any name.
  const context: Record<string, string> = Object.create(null)
  for (const entry of entries) {
    const reader = new WireReader(Buffer.from(entry, 'latin1'))
    let key = ''
    let value = ''
    while (reader.next()) {
      if (reader.field === 1) key = reader.utf8()
      else if (reader.field === 2) value = reader.utf8()
      else reader.skip()
    }
    context[key] = value
  }
  return Object.freeze(context)
}
