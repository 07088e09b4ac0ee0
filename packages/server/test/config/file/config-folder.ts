import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A folder with a configuration file and what it names; removed when it goes out of scope. */
export class ConfigFolder implements Disposable {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'config-file-'))
  readonly file: string = path.join(this.folder, 'config.yaml')

  constructor(yaml: string | Uint8Array, others: Readonly<Record<string, string>> = {}) {
    writeFileSync(this.file, yaml)
    for (const [name, text] of Object.entries(others)) {
      const target = path.join(this.folder, name)
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, text)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
