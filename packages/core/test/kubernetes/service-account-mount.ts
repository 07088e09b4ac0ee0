import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder like a pod's service account mount. */
export interface ServiceAccountMount extends AsyncDisposable {
  readonly caFile: string
  readonly tokenFile: string
  /** Replaces the contents as the kubelet does: a new folder, and `..data` renamed to point to it. */
  project(files: { readonly token: string; readonly ca: string }): Promise<void>
}

/** Creates one with these contents. */
export async function createMount(files: { token: string; ca: string }): Promise<ServiceAccountMount> {
  const folder = await mkdtemp(join(tmpdir(), 'service-account-'))
  let generation = 0
  let before: string | undefined
  async function project({ token, ca }: { readonly token: string; readonly ca: string }): Promise<void> {
    const name = `..2026_11_26_${++generation}`
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'token'), token)
    await writeFile(join(folder, name, 'ca.crt'), ca)
    await symlink(name, join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    if (before !== undefined) await rm(before, { recursive: true })
    before = join(folder, name)
  }
  await project(files)
  for (const name of ['token', 'ca.crt']) await symlink(join('..data', name), join(folder, name))
  return {
    caFile: join(folder, 'ca.crt'),
    tokenFile: join(folder, 'token'),
    project,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
