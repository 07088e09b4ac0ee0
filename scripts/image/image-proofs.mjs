import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, get as httpsGet } from 'node:https'
import path from 'node:path'
import { startDevDex } from '../../packages/dev-dex/dist/index.js'
import { EnvoyClient } from '../../packages/server/test/grpc/support/envoy-client.ts'
import {
  createCertificateAuthority,
  findRedis,
  listeningPorts,
  startForwardProxy,
  startOtlpReceiver,
  startRedis,
} from '../../packages/testing/src/index.ts'
import { users } from './image-root.mjs'

const client = { id: 'orders', secret: 'orders-secret' }
const credentials = { 'x-client-id': client.id, 'x-client-secret': client.secret }
const volume = '/run/volume'

/**
 * What the image has to do, by name: each runs the Dockerfile's own commands in an `ImageRoot`. A proof returns why it was skipped, or
 * nothing. `image` has `root`, the Dockerfile's `entrypoint` and `healthCheck`, and the `version` of the server.
 */
export const proofs = {
  'the command states its version, its help and its configuration': async image => {
    assert.equal(await outputOf(image, ['--version']), `dex-token-broker ${image.version}\n`)
    assert.match(await outputOf(image, ['--help']), /^Usage: dex-token-broker/)
    const env = { DEX_TOKEN_URL: 'https://dex.example.com/token' }
    assert.match(await outputOf(image, ['--check-config'], env), /dex\.example\.com/)
  },

  "the image's own user and one that OpenShift made up get checks, readiness, metrics and the page answered":
    async image => {
      for (const user of Object.values(users)) {
        for (const logFormat of ['json', 'text']) {
          await using broker = await startBroker(image, { LOG_FORMAT: logFormat }, { user })
          assertUnprivileged(broker.process.pid, user)
          const allowed = await broker.check(credentials)
          assert.equal(allowed.status, 200)
          assert.match(allowed.headers.get('authorization'), /^Bearer /)
          assert.equal((await broker.check()).status, 401)
          assert.equal((await broker.admin('/readyz')).status, 200)
          assert.match(await broker.text('/metrics'), new RegExp(`version="${image.version}"`))
          assert.match(await broker.text('/'), /<!doctype html>/i)
          assert.equal(JSON.parse(await broker.text('/status')).version, image.version)
          assert.equal(await broker.stop(), 0)
        }
      }
    },

  'the files cannot be written by either user': async ({ root, entrypoint: [node] }) => {
    const attempts = ['/app/dist/command.js', '/app/new', '/tmp/new', '/run/volume/new', '/new']
    const script = `for (const file of ${JSON.stringify(attempts)}) try { fs.writeFileSync(file, '') } catch ({ code }) { console.log(code) }`
    for (const user of Object.values(users)) {
      await using process = root.start([node, '-e', script], { user })
      await process.ended()
      assert.match(process.log, /^(EROFS\n|EACCES\n){5}$/)
    }
  },

  'the health check passes beside the server, and fails without it': async ({
    root,
    entrypoint,
    healthCheck,
  }) => {
    const env = { DEX_TOKEN_URL: 'https://dex.example.com/token' }
    await using server = root.start(entrypoint, { env, network: 'own' })
    await server.until('it listened', () => listeningPorts(server.log))
    assert.equal(await root.start(healthCheck, { network: server.pid }).ended(), 0)
    assert.equal(await root.start(healthCheck, { network: 'own' }).ended(), 1)
  },

  'checks over gRPC are answered': async image => {
    await using broker = await startBroker(image, { GRPC_LISTEN_ADDR: '127.0.0.1:0' })
    await using envoy = new EnvoyClient(broker.ports.grpcPort)
    const answer = await envoy.check({ headers: credentials })
    assert.equal(answer.http_response, 'ok_response')
    assert.ok(answer.ok_response.headers.some(({ header }) => header.value.startsWith('Bearer ')))
  },

  'TLS is served with a mounted certificate': async image => {
    const ca = createCertificateAuthority()
    const { cert, key } = ca.issue('localhost', '127.0.0.1')
    writeFileSync(path.join(image.root.volume, 'tls.crt'), cert)
    writeFileSync(path.join(image.root.volume, 'tls.key'), key)
    const env = { TLS_CERT_FILE: `${volume}/tls.crt`, TLS_KEY_FILE: `${volume}/tls.key` }
    await using broker = await startBroker(image, env)
    assert.equal(await statusOverTls(broker.ports.port, ca.cert), 200)
  },

  'a configuration file with rules decides, and explain says how': async image => {
    const file = `issuers:\n  - { name: dex, issuer: ${image.dex.issuer}, audiences: [orders] }\nrules:\n  - { name: all, when: 'request.path.matches("^/a")', pass: true }\n`
    writeFileSync(path.join(image.root.volume, 'broker.yaml'), file)
    writeFileSync(
      path.join(image.root.volume, 'claims.json'),
      JSON.stringify({ iss: image.dex.issuer, aud: 'orders', sub: 'a' }),
    )
    const env = { CONFIG_FILE: `${volume}/broker.yaml`, ALLOW_INSECURE_DEX_URL: 'true' }
    const args = ['explain', '--claims', `${volume}/claims.json`, '--path', '/a']
    assert.match(await outputOf(image, args, env), /all/)
    await using broker = await startBroker(image, { ...env, DEX_TOKEN_URL: '' })
    assert.equal((await broker.check(credentials)).status, 401)
  },

  'Dex is reached through a proxy': async image => {
    const ca = createCertificateAuthority()
    writeFileSync(path.join(image.root.volume, 'dex.crt'), ca.cert)
    await using dex = await startDevDex({ clients: [client], tls: ca.issue('dex.example.com') })
    await using proxy = await startForwardProxy()
    const { port, pathname } = new URL(dex.tokenEndpoint)
    const env = {
      DEX_TOKEN_URL: `https://dex.example.com:${port}${pathname}`,
      DEX_CA_FILE: `${volume}/dex.crt`,
      USE_PROXY_FROM_ENV: 'true',
      HTTPS_PROXY: proxy.url,
    }
    await using broker = await startBroker(image, env)
    assert.equal((await broker.check(credentials)).status, 200)
    assert.deepEqual(proxy.asked, [`dex.example.com:${port}`])
  },

  'a server that has answered everything has not loaded the undici of Node.js': async image => {
    const loaded = "process.moduleLoadList.filter(name => name.includes('undici')).join()"
    const script = `process.on('exit', () => console.log('undici:' + ${loaded})); await import('/app/dist/command.js')`
    const entrypoint = [image.entrypoint[0], '--input-type=module', '--eval', script]
    await using broker = await startBroker({ ...image, entrypoint })
    assert.equal((await broker.check(credentials)).status, 200)
    for (const target of ['/readyz', '/metrics', '/', '/status']) await broker.text(target)
    assert.equal(await broker.stop(), 0)
    assert.match(broker.process.log, /^undici:$/m)
  },

  'doctor finds Dex in order': async image => {
    const env = {
      DEX_ISSUER: image.dex.issuer,
      ALLOW_INSECURE_DEX_URL: 'true',
      ALLOW_UNAUTHENTICATED_CALLERS: 'true',
      STATIC_CLIENT_ID: client.id,
      STATIC_CLIENT_SECRET: client.secret,
    }
    const report = JSON.parse(await outputOf(image, ['doctor', '--json'], env))
    assert.equal(report.version, image.version)
    assert.equal(report.verdict, 'ok')
  },

  'traces reach a collector': async image => {
    await using collector = await startOtlpReceiver()
    await using broker = await startBroker(image, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    await broker.check(credentials)
    assert.equal(await broker.stop(), 0)
    assert.ok(collector.spans.length > 0, 'no span arrived')
  },

  'two replicas share one token through a store': async image => {
    if (findRedis() === undefined) return 'no redis-server; REDIS_SERVER_BIN names one'
    await using redis = await startRedis()
    writeFileSync(path.join(image.root.volume, 'store-keys'), `${Buffer.alloc(32, 1).toString('base64')}\n`)
    const env = {
      SHARED_STORE_URL: `redis://127.0.0.1:${redis.port}`,
      SHARED_STORE_KEY_FILE: `${volume}/store-keys`,
      // Enough for a busy machine.
      SHARED_STORE_TIMEOUT: '2s',
    }
    await using one = await startBroker(image, env)
    await using other = await startBroker(image, env)
    const before = image.dex.tokenRequests.length
    const tokens = [await one.check(credentials), await other.check(credentials)].map(({ headers }) =>
      headers.get('authorization'),
    )
    assert.match(tokens[0], /^Bearer /)
    assert.equal(tokens[1], tokens[0])
    assert.equal(image.dex.tokenRequests.length, before + 1)
  },

  'nothing is written, even where it could be': async image => {
    await using collector = await startOtlpReceiver()
    const env = {
      LOG_FORMAT: 'text',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      GRPC_LISTEN_ADDR: '127.0.0.1:0',
    }
    image.root.giveTo(users.own)
    const before = image.root.contents()
    await using broker = await startBroker(image, env, { isWritable: true })
    assert.equal((await broker.check(credentials)).status, 200)
    await broker.text('/')
    assert.equal(await broker.stop(), 0)
    await outputOf(
      image,
      ['--check-config'],
      { DEX_TOKEN_URL: 'https://dex.example.com/token' },
      { isWritable: true },
    )
    assert.deepEqual(image.root.contents(), before)
    // It could be.
    const write = "fs.writeFileSync('/tmp/new', '')"
    await using process = image.root.start([image.entrypoint[0], '-e', write], { isWritable: true })
    assert.equal(await process.ended(), 0)
    assert.notDeepEqual(image.root.contents(), before)
  },
}

/** The Dex that the proofs use. */
export function startDex() {
  return startDevDex({ clients: [client] })
}

async function startBroker({ root, entrypoint, dex }, env, options) {
  const process = root.start(entrypoint, {
    ...options,
    env: {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      ALLOW_INSECURE_DEX_URL: 'true',
      ...env,
    },
  })
  const ports = await process.until('it listened', () => listeningPorts(process.log))
  const admin = target => fetch(`http://127.0.0.1:${ports.adminPort}${target}`)
  return {
    process,
    ports,
    check: headers => fetch(`http://127.0.0.1:${ports.port}/check/orders`, { headers }),
    admin,
    text: async target => (await admin(target)).text(),
    stop: () => {
      process.signal('SIGTERM')
      return process.ended()
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}

/** Resolves with the command's output; rejects unless it exits with 0. */
async function outputOf({ root, entrypoint }, args, env, options) {
  await using process = root.start([...entrypoint, ...args], { ...options, env })
  const exitCode = await process.ended()
  assert.equal(exitCode, 0, `${args.join(' ')} exits with ${exitCode}:\n${process.log}`)
  return process.log
}

function assertUnprivileged(pid, user) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [uid, gid] = user.split(':')
  const same = id => Array(4).fill(id).join('\t')
  assert.equal(status.match(/^Uid:\t(.*)$/m)[1], same(uid))
  assert.equal(status.match(/^Gid:\t(.*)$/m)[1], same(gid))
  assert.match(status, /^CapEff:\t0+$/m)
}

async function statusOverTls(port, ca) {
  const agent = new Agent({ ca, servername: 'localhost' })
  try {
    return await new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path: '/check/orders', headers: credentials, agent }
      httpsGet(options, response => resolve(response.resume().statusCode)).on('error', reject)
    })
  } finally {
    agent.destroy()
  }
}
