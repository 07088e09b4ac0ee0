import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromiumNeed, findChromium, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
  empty: () => startPage(),
}

/** The problems that the page shows. A busy machine makes the event loop of these tests late, which is no fault of the scene. */
async function problemsOn(tab: Page): Promise<string[]> {
  const summaries = await tab.locator('.problem .summary').allTextContents()
  return summaries.filter(summary => !summary.startsWith('The event loop is late'))
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
    until(async () => (await tab.textContent('#live')) === 'Live', 'the first event')

  describe.each(Object.keys(scenes))('%s', scene => {
    test('is readable at every width, in light and dark, with and without JavaScript', async () => {
      await using page = await (scenes[scene] as () => Promise<PageUnderTest>)()
      for (const look of looks) {
        await using opened = await openTab(page, look)
        const { tab, complaints, requested } = opened
        if (look.script) await isLive(tab)
        expect((await problemsOn(tab)).length > 0).toBe(scene === 'failing')
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

  test('says that the connection is lost and how old the state is', async () => {
    await using page = await startPage()
    await using opened = await openTab(page)
    const { tab } = opened
    await isLive(tab)
    await page.server.close()
    await until(
      async () =>
        /^Connection lost\. This is the state of \d+ s ago\.$/.test((await tab.textContent('#live')) ?? ''),
      'the notice',
    )
    expect(await tab.getAttribute('#live', 'class')).toContain('lost')
    expect(await tab.textContent('#problems h2')).not.toBe('')
  })

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
