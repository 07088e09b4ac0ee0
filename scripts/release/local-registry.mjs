// An npm registry on 127.0.0.1, in memory, for the packages of one scope: enough for `pnpm publish` and `npm install`. It
// refuses what the registry of npm refuses, so that a release which cannot be published fails here first.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const jsonType = { 'content-type': 'application/json' }

/**
 * Starts it. npm compares `repository` of a package with `repositoryUrl`, where the release workflow runs; without it, nothing
 * is compared. Resolves with `{ url, tarballs, close }`, and is closed by `await using`; `tarballs` has a Buffer for each
 * `name@version`.
 */
export async function startLocalRegistry({ repositoryUrl } = {}) {
  const documents = new Map()
  const tarballs = new Map()
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body, headers = jsonType }) => {
        response.writeHead(status, headers)
        response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body))
      },
      error => {
        response.writeHead(500, jsonType)
        response.end(JSON.stringify({ error: `${error}` }))
      },
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`

  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url, tarballs, close, [Symbol.asyncDispose]: close }

  async function answer(request) {
    const target = decodeURIComponent(new URL(request.url, url).pathname.slice(1))
    if (request.method === 'PUT') return publish(target, JSON.parse(await bodyOf(request)))
    if (request.method !== 'GET') return { status: 405, body: { error: 'method not allowed' } }
    const [, name, file] = target.match(/^(@[^/]+\/[^/]+)\/-\/(.+)$/) ?? [undefined, target]
    const document = documents.get(name)
    if (document === undefined) return { status: 404, body: { error: 'Not found' } }
    if (file === undefined) return { status: 200, body: document }
    const version = Object.values(document.versions).find(({ dist }) => dist.tarball.endsWith(`/${file}`))
    if (version === undefined) return { status: 404, body: { error: 'Not found' } }
    return {
      status: 200,
      body: tarballs.get(`${name}@${version.version}`),
      headers: { 'content-type': 'application/octet-stream' },
    }
  }

  function publish(name, document) {
    const [manifest] = Object.values(document.versions ?? {})
    const [attachment] = Object.values(document._attachments ?? {})
    const refused = refusal(name, document, manifest, attachment)
    if (refused) return { status: refused.status, body: { error: refused.error } }
    const stored = documents.get(name) ?? { name, versions: {}, 'dist-tags': {}, time: {} }
    const file = `${name.split('/')[1]}-${manifest.version}.tgz`
    manifest.dist.tarball = `${url}${name}/-/${file}`
    stored.versions[manifest.version] = manifest
    stored.time[manifest.version] = new Date().toISOString()
    Object.assign(stored['dist-tags'], document['dist-tags'])
    documents.set(name, stored)
    tarballs.set(`${name}@${manifest.version}`, Buffer.from(attachment.data, 'base64'))
    return { status: 201, body: { ok: true } }
  }

  /** The statuses and sentences are those that npm's registry is known for. */
  function refusal(name, document, manifest, attachment) {
    if (!manifest || !attachment) return { status: 400, error: 'no version or no tarball' }
    if (manifest.name !== name || document.name !== name)
      return { status: 400, error: `the document is about ${manifest.name}` }
    if (manifest.private) return { status: 403, error: 'this package has been marked as private' }
    if (documents.get(name)?.versions[manifest.version])
      return {
        status: 403,
        error: `You cannot publish over the previously published versions: ${manifest.version}.`,
      }
    if (document.access !== 'public')
      return { status: 402, error: 'You must sign up for private packages: access is not "public"' }
    const bytes = Buffer.from(attachment.data, 'base64')
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    if (manifest.dist?.integrity !== integrity || attachment.length !== bytes.length)
      return { status: 400, error: 'the tarball does not match its integrity' }
    const repository = manifest.repository?.url ?? ''
    if (
      repositoryUrl !== undefined &&
      repository.replace(/^git\+/, '').replace(/\.git$/, '') !== repositoryUrl
    )
      return {
        status: 422,
        error: `"repository.url" is "${repository}", expected to match "${repositoryUrl}" from provenance`,
      }
    return undefined
  }
}

async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
