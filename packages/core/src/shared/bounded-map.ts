import { LRUCache } from 'lru-cache'

/**
 * A map that evicts the least recently used entry when it is full. Takes memory for the entries that it has: with `max` lru-cache
 * reserves it for all of them at the start.
 */
export function boundedMap<Value extends {}>(maxEntries: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize: maxEntries, sizeCalculation: () => 1 })
}
