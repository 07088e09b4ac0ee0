import type { FilePath } from './yaml-file.ts'

/** A fault at a place in the structure of the file. */
export interface FileFinding {
  readonly path: FilePath
  /** Continues a sentence that begins with the path; never contains a secret. */
  readonly problem: string
  /** The index of the character at fault, when the value is a text. */
  readonly offset?: number
  /** Whether the key is at fault, and not its value. */
  readonly isKey?: boolean
  /** A better example than the schema's; `false` for none. */
  readonly example?: string | false
}

/** Writes a path: `clients[1].clientSecret`, `rules[0].set["x caller"]`. */
export function pathText(path: FilePath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[A-Za-z_][\w-]*$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}
