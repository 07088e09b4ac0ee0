import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import {
  chromiumNeed,
  createCertificateAuthority,
  findChromium,
  freePort,
  MountedVolume,
  startCuttableProxy,
  until,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version } from '../../src/version.ts'
import { bearer, gated, type PageUnderTest, startPage } from './start-page.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const scenes: Readonly<Record<string, () => Promise<PageUnderTest>>> = {
  healthy: async () => {
    const page = await startPage(gated)
    for (let count = 0; count < 20; count++) await page.check(bearer(page.dex))
    return page
  },
  failing: async () => {
    const page = await startPage(gated)
    page.dex.setFault('token', { kind: 'reset' })
    for (let count = 0; count < 8; count++) await page.check(bearer(page.dex))
    for (let count = 0; count < 8; count++) await page.check(bearer(page.dex, { aud: 'other' }))
    return page
  },
  expiring: async () => {
    const validTo = new Date(Date.now() + 36 * 3_600_000)
    const { cert, key } = createCertificateAuthority().issueFor({ hosts: ['broker.shop.svc'], validTo })
    // Read once: nothing looks at the files again here.
    using volume = new MountedVolume({ 'tls.crt': cert, 'tls.key': key })
    const files = { TLS_CERT_FILE: volume.file('tls.crt'), TLS_KEY_FILE: volume.file('tls.key') }
    return await startPage(() => ({ ...files, GRPC_LISTEN_ADDR: '127.0.0.1:0' }))
  },
  empty: () => startPage(),
}

/** The problems that the page shows. A busy machine makes the event loop of these tests late, which is no fault of the scene. */
async function problemsOn(tab: Page): Promise<string[]> {
  const summaries = await tab.locator('.problem .summary').allTextContents()
  return summaries.filter(summary => !summary.startsWith('The event loop is late'))
}

/** An open page of somebody else, as far as the broker sees it. */
function openEvents(port: number) {
  const asked = request({ host: '127.0.0.1', port, path: '/status/events', headers: { host: 'localhost' } })
  let status: number | undefined
  asked
    .on('error', () => {})
    .on('response', answer => {
      status = answer.statusCode
      answer.on('error', () => {}).resume()
    })
  asked.end()
  return { hasBegun: () => status === 200, close: () => void asked.destroy() }
}

const looks = [360, 1440].flatMap(width =>
  (['light', 'dark'] as const).flatMap(scheme => [true, false].map(script => ({ width, scheme, script }))),
)

describe('the status page in Chromium', needs(chromiumNeed()), () => {
  let browser: Browser

  beforeAll(async () => {
    // Chromium's own sandbox does not work for root, as in most containers.
    browser = await chromium.launch({ executablePath: findChromium() ?? '', args: ['--no-sandbox'] })
  })

  afterAll(() => browser.close())

  /** A tab, and what it complained about: errors of scripts, and of the content security policy. */
  async function openTab(
    page: PageUnderTest,
    { width = 1440, scheme = 'light' as 'light' | 'dark', script = true } = {},
  ) {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      javaScriptEnabled: script,
    })
    const tab = await context.newPage()
    const complaints: string[] = []
    tab.on('console', message => complaints.push(message.text()))
    tab.on('pageerror', error => complaints.push(String(error)))
    const requested: string[] = []
    tab.on('request', request => requested.push(request.url()))
    await tab.goto(`http://localhost:${page.port}/`)
    return { tab, complaints, requested, [Symbol.asyncDispose]: () => context.close() }
  }

  const isLive = (tab: Page) =>
    until(async () => (await tab.textContent('.live')) === 'Live', 'the first event')

  describe.each(Object.keys(scenes))('%s', scene => {
    test('is readable at every width, in light and dark, with and without JavaScript', async () => {
      await using page = await (scenes[scene] as () => Promise<PageUnderTest>)()
      for (const look of looks) {
        await using opened = await openTab(page, look)
        const { tab, complaints, requested } = opened
        if (look.script) await isLive(tab)
        expect((await problemsOn(tab)).length > 0).toBe(scene === 'failing' || scene === 'expiring')
        await tab.click('summary')
        const { scroll, client } = (await tab.evaluate(
          '({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth })',
        )) as { scroll: number; client: number }
        expect([look, scroll]).toEqual([look, client])
        expect(
          requested.every(url => url.startsWith(`http://localhost:${page.port}/`) || url.startsWith('data:')),
        ).toBe(true)
        expect(complaints).toEqual([])
        const folder = process.env['SCREENSHOTS']
        const name = `${scene}-${look.width}-${look.scheme}${look.script ? '' : '-no-script'}.png`
        if (folder) await tab.screenshot({ path: `${folder}/${name}`, fullPage: true })
      }
    }, 60_000)

    test('has no serious finding of axe', async () => {
      await using page = await (scenes[scene] as () => Promise<PageUnderTest>)()
      for (const { width, scheme } of looks.filter(({ script }) => script)) {
        await using opened = await openTab(page, { width, scheme })
        const { tab } = opened
        await tab.click('summary')
        await tab.evaluate(axe)
        const { violations, passes } = (await tab.evaluate('axe.run()')) as {
          violations: { id: string; impact: string; nodes: { html: string }[] }[]
          passes: unknown[]
        }
        expect(passes.length).toBeGreaterThan(20)
        const found = violations.map(({ id, impact, nodes }) => [id, impact, nodes.map(node => node.html)])
        expect([width, scheme, found]).toEqual([width, scheme, []])
      }
    }, 60_000)
  })

  test('takes over a new state without losing the focus, the scroll position and what is unfolded', async () => {
    await using page = await startPage(gated)
    await using opened = await openTab(page, { width: 360 })
    const { tab, complaints } = opened
    await isLive(tab)
    expect(await problemsOn(tab)).toEqual([])
    await tab.click('summary')
    await tab.focus('summary')
    const scroll = () => tab.evaluate('scrollY')
    const before = await scroll()
    expect(before).toBeGreaterThan(0)
    await tab.evaluate('void (document.querySelector("#clients tbody th").isTheSame = true)')

    for (let count = 0; count < 8; count++) await page.check(bearer(page.dex, { aud: 'other' }))
    await until(async () => (await problemsOn(tab)).length === 1, 'the problem')
    expect(await tab.title()).toMatch(/^\d problems? /)
    expect(await tab.textContent('.problem')).toContain('JWT_AUDIENCE')
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('SUMMARY')
    expect(await tab.evaluate('document.querySelector("details").open')).toBe(true)
    expect(await tab.evaluate('document.querySelector("#clients tbody th").isTheSame')).toBe(true)
    // The browser keeps what is in view in its place, below the longer list of problems.
    expect(await scroll()).toBeGreaterThanOrEqual(before as number)

    expect((await page.check(bearer(page.dex))).status).toBe(200)
    await until(
      async () => (await tab.textContent('#problems h2')) === 'No problems',
      'the end of the problem',
    )
    expect(complaints).toEqual([])
  })

  /** Waits for the words about the connection. */
  const says = (tab: Page, words: RegExp) =>
    until(async () => words.test((await tab.textContent('.live')) ?? ''), String(words), 30_000)

  test('says since when it is not connected, and is live again after a restart of the broker', async () => {
    const address = `127.0.0.1:${await freePort()}`
    await using page = await startPage(() => ({ ADMIN_ADDR: address }))
    await using opened = await openTab(page)
    const { tab } = opened
    await isLive(tab)
    const title = await tab.title()
    const icon = () => tab.getAttribute('link[rel=icon]', 'href')
    const liveIcon = await icon()
    await page.server.close()
    await says(
      tab,
      /^Not connected since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. The page shows the state of that moment \(\d+ s ago\)\.$/,
    )
    // A tab in the background shows nothing else.
    expect(await tab.title()).toBe(`Not live – ${title}`)
    expect(await icon()).not.toBe(liveIcon)
    expect(await tab.textContent('#problems h2')).not.toBe('')
    const folder = process.env['SCREENSHOTS']
    if (folder) await tab.screenshot({ path: `${folder}/lost-1440-light.png` })

    await using _restarted = await startPage(() => ({ ADMIN_ADDR: address }))
    await says(tab, /^Live$/)
    expect(await tab.title()).toMatch(/^(?:OK|\d+ problems?) –/)
    expect(await tab.getAttribute('.live', 'class')).not.toContain('lost')
  }, 60_000)

  test('connects again when the network has forgotten its connection', async () => {
    await using page = await startPage()
    await using proxy = await startCuttableProxy(page.port)
    await using opened = await openTab({ ...page, port: proxy.port })
    await isLive(opened.tab)
    proxy.cut('blackhole')
    await says(opened.tab, /^Not connected since/)
    proxy.mend()
    await says(opened.tab, /^Live$/)
  }, 60_000)

  test('says that too many pages are open, and is live when there is room', async () => {
    await using page = await startPage()
    const others = Array.from({ length: 16 }, () => openEvents(page.port))
    await until(() => others.every(each => each.hasBegun()), 'sixteen pages')
    await using opened = await openTab(page)
    await says(
      opened.tab,
      /^Not live: too many pages of this broker are open\. Close one of them\. The page shows/,
    )
    for (const each of others) each.close()
    await says(opened.tab, /^Live$/)
  }, 60_000)

  test('says that it may not be seen any more', async () => {
    await using page = await startPage()
    await using opened = await openTab(page)
    await isLive(opened.tab)
    page.reload({ ADMIN_PAGE: 'off' })
    await says(opened.tab, /^Not live: ADMIN_PAGE of this broker refuses this page now\. The page shows/)
  }, 60_000)

  test('of another version of the broker reloads itself', async () => {
    await using page = await startPage()
    await using opened = await openTab(page)
    const { tab } = opened
    await isLive(tab)
    await tab.route(
      '**/',
      async route => {
        const answer = await route.fetch()
        const older = (await answer.text()).replace(/data-version="[^"]+"/, 'data-version="0.0.1-older"')
        await route.fulfill({ response: answer, body: older })
      },
      { times: 1 },
    )
    await tab.reload()
    const shown = () => tab.getAttribute('html', 'data-version').catch(() => null)
    expect(await shown()).toBe('0.0.1-older')
    await until(async () => (await shown()) === version(), 'the version that runs', 15_000)
    await isLive(tab)
  }, 60_000)

  test('reloads by itself without JavaScript', async () => {
    await using page = await startPage()
    await using opened = await openTab(page, { script: false })
    await until(
      () => opened.requested.filter(url => url.endsWith(`:${page.port}/`)).length >= 2,
      'a reload',
      15_000,
    )
  })

  test('can be read and used with the keyboard alone', async () => {
    await using page = await startPage()
    await using opened = await openTab(page)
    const { tab } = opened
    await tab.keyboard.press('Tab')
    expect(await tab.evaluate('document.activeElement.textContent')).toBe('Skip to problems')
    await tab.keyboard.press('Tab')
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('SUMMARY')
    await tab.keyboard.press('Enter')
    expect(await tab.evaluate('document.querySelector("details").open')).toBe(true)
  })
})
