import { gzipSync } from 'node:zlib'

/** A module of the registry: one version, and one file. */
const module = {
  path: 'platform/network/aws',
  version: '1.2.0',
  file: { name: 'main.tf', text: 'output "cidr" {\n  value = "10.0.0.0/16"\n}\n' },
} as const

/** The part of the registry that reads modules, as OpenDepot has it. Its requests have a token that the registry accepts. */
export const modulesPath = '/opendepot/modules/v1/'
/** Service discovery, and the archive, which stands for an object store with signed URLs: neither needs a token. */
export const discoveryPath = '/.well-known/terraform.json'
export const archivePath = '/archive/network-1.2.0.tar.gz'

/** An answer of the module registry protocol. */
export interface ModuleAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** Answers service discovery and the archive; `undefined` for other paths. */
export function publicAnswer(path: string): ModuleAnswer | undefined {
  if (path === discoveryPath) return json({ 'modules.v1': modulesPath })
  if (path === archivePath) {
    return { status: 200, headers: { 'content-type': 'application/gzip' }, body: archive(module.file) }
  }
  return undefined
}

/** Answers the module registry protocol; `undefined` for other paths. */
export function moduleAnswer(path: string): ModuleAnswer | undefined {
  if (path === `${modulesPath}${module.path}/versions`) {
    return json({ modules: [{ versions: [{ version: module.version }] }] })
  }
  if (path === `${modulesPath}${module.path}/${module.version}/download`) {
    return { status: 204, headers: { 'x-terraform-get': archivePath } }
  }
  return undefined
}

function json(value: unknown): ModuleAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

/** A tar archive with one file, compressed (POSIX ustar). */
function archive({ name, text }: { readonly name: string; readonly text: string }): Buffer {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, '0')
  header.write(name, 0)
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(content.length, 12), 124)
  header.write(octal(0, 12), 136)
  // The checksum counts its own field as blanks.
  header.write('        0', 148)
  header.write('ustar\0', 257)
  header.write('00', 263)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 7)}\0 `, 148)
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1_024)]))
}
