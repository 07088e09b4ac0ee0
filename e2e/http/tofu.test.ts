import { startTofuStory, type TofuStory } from '@broker/example-opendepot'
import { findTofu, startRecordingServer, tofuNeed } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const { DEX_BIN: dexBinary } = process.env
/** A helper may take ten seconds; the rest is for OpenTofu on a busy machine. */
const patienceMs = 60_000

describe('tofu init with terraform-credentials-dex', needs(tofuNeed()), () => {
  let story: TofuStory
  beforeAll(async () => {
    story = await startTofuStory({ tofuBinary: findTofu() ?? '', dexBinary: dexBinary || undefined })
  }, patienceMs)
  afterAll(() => story?.[Symbol.asyncDispose]())

  const get = () => `--config=~/.config/dex-token-broker/broker.yaml get ${story.registryHost}`

  test(
    'installs a module that needs a token of Dex, and calls the helper once',
    async () => {
      const { code, output, helperCalls, helperLog, modules } = await story.init()
      expect(output).toContain('successfully initialized')
      expect({ code, helperCalls, helperLog }).toEqual({ code: 0, helperCalls: [get()], helperLog: '' })
      expect(modules).toContain(`${story.registryHost}/platform/network/aws`)
    },
    patienceMs,
  )

  test(
    'sends the token to the registry, and not to where the archive is',
    async () => {
      const { requests } = await story.init()
      const withToken = requests.filter(({ hasToken }) => hasToken).map(({ path }) => path)
      expect(withToken).toEqual([
        '/.well-known/terraform.json',
        '/opendepot/modules/v1/platform/network/aws/versions',
        '/opendepot/modules/v1/platform/network/aws/1.2.0/download',
      ])
      const archive = requests.filter(({ path }) => path.startsWith('/archive/'))
      expect(archive.map(({ status, hasToken }) => [status, hasToken])).toContainEqual([200, false])
      expect(archive.some(({ hasToken }) => hasToken)).toBe(false)
    },
    patienceMs,
  )

  test(
    'gives no token to a host that is not listed',
    async () => {
      const { code, output, requests, helperLog } = await story.init({
        [`${story.registryHost}:`]: '10.0.0.1:',
      })
      expect({ code, helperLog }).toEqual({ code: 1, helperLog: '' })
      expect(output).toContain('401 Unauthorized')
      expect(requests.some(({ hasToken }) => hasToken)).toBe(false)
    },
    patienceMs,
  )

  test(
    'shows only 401 when Dex is down; the log of the helper says why',
    async () => {
      const { code, output, helperLog } = await story.init({ [story.issuer]: 'http://127.0.0.1:1/dex' })
      expect(code).toBe(1)
      expect(output).toContain('401 Unauthorized')
      expect(output).not.toContain('refused')
      expect(helperLog).toContain(
        `terraform-credentials-dex: get ${story.registryHost}: the issuer is unavailable`,
      )
      expect(helperLog).toContain('check that Dex is running, then the host and the port in DEX_ISSUER')
    },
    patienceMs,
  )

  test(
    'shows the sentence of the helper in the log of OpenTofu when discovery needs no token',
    async () => {
      const dead = { [story.issuer]: 'http://127.0.0.1:1/dex' }
      const { output } = await story.init(dead, { TF_LOG: 'WARN' })
      expect(output).toMatch(/\[WARN\] +Failed to get credentials for .*the issuer is unavailable/)
    },
    patienceMs,
  )

  test(
    'does not hang when Dex hangs: each call of the helper says why within ten seconds',
    async () => {
      await using silent = await startRecordingServer(() => {})
      const { code, helperCalls, helperLog } = await story.init({ [story.issuer]: `${silent.url}/dex` })
      expect(code).toBe(1)
      const failures = helperLog.split('\n').filter(line => line.includes('the issuer timed out'))
      expect(failures).toHaveLength(helperCalls.length)
      expect(failures.length).toBeGreaterThan(0)
    },
    patienceMs,
  )
})
