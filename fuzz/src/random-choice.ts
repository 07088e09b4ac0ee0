/** A whole number from 0 up to `limit`. */
export function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit)
}

export function pick<Item>(random: () => number, items: readonly Item[]): Item {
  return items[below(random, items.length)] as Item
}
