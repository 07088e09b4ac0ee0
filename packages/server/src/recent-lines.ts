/** A log line at WARN or above. Lines that say the same are one. */
export interface RecentLine {
  readonly level: 'warn' | 'error' | 'fatal'
  readonly message: string
  readonly code: string | undefined
  /** Why JWTs were refused. */
  readonly reason: string | undefined
  readonly hint: string | undefined
  /** The name of a configured client. */
  readonly client: string | undefined
  /** The system's code of a failed connection. */
  readonly cause: string | undefined
  /** Origin and path of the request that failed. */
  readonly url: string | undefined
  /** Faults in files. */
  readonly faults: readonly string[]
  /** How many events the lines stand for. */
  readonly count: number
  /** In milliseconds since 1970. */
  readonly firstAt: number
  readonly lastAt: number
}

const maxLines = 50
/** Longer texts are cut: a line of the log may have a stack. */
const maxCharacters = 600
const maxFaults = 10
const beginning = /^\{"level":"(?:warn|error|fatal)"/

/**
 * The last 50 different log lines at WARN and above. It takes from a line only what names the cause and the action: no caller, no
 * request, and no client id, because ids that callers send are not the broker's to show.
 */
export class RecentLines {
  /** By what they say, the latest last. */
  readonly #lines = new Map<string, RecentLine>()

  /** The latest first. */
  list(): readonly RecentLine[] {
    return [...this.#lines.values()].reverse()
  }

  /** Takes a JSON line of the log, whatever its level. Returns whether it is at WARN or above. */
  see(json: string): boolean {
    if (!beginning.test(json)) return false
    this.#add(lineOf(JSON.parse(json)))
    return true
  }

  #add(line: RecentLine): void {
    const { firstAt, lastAt, count, ...same } = line
    const key = JSON.stringify(same)
    const before = this.#lines.get(key)
    this.#lines.delete(key)
    this.#lines.set(
      key,
      before === undefined ? line : { ...line, firstAt: before.firstAt, count: before.count + count },
    )
    const [oldest] = this.#lines.keys()
    if (this.#lines.size > maxLines && oldest !== undefined) this.#lines.delete(oldest)
  }
}

function lineOf(fields: Readonly<Record<string, unknown>>): RecentLine {
  const text = (name: string) => {
    const value = fields[name]
    return typeof value === 'string' ? value.slice(0, maxCharacters) : undefined
  }
  const { count, faults } = fields
  const at = Date.parse(text('time') ?? '')
  return {
    level: fields['level'] as RecentLine['level'],
    message: text('msg') ?? '',
    code: text('code'),
    reason: text('reason'),
    hint: text('hint'),
    client: text('client'),
    cause: text('cause'),
    url: text('url'),
    faults: Array.isArray(faults)
      ? faults.slice(0, maxFaults).map(fault => String(fault).slice(0, maxCharacters))
      : [],
    count: typeof count === 'number' ? count : 1,
    firstAt: at,
    lastAt: at,
  }
}
