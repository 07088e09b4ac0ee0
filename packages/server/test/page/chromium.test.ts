import { expect, test } from 'vitest'
import { chromium } from 'playwright-core'
import { findChromium, freePort } from '@broker/testing'
import { bearer, gated, startPage } from './start-page.ts'

test('x', async () => {
  await using browser = await chromium.launch({ executablePath: findChromium()!, args: ['--no-sandbox'] })
  const shots = process.env['SHOTS']
  const scenes: Record<string, () => Promise<any>> = {
    healthy: async () => {
      const page = await startPage(gated)
      for (let n = 0; n < 40; n++) await page.check(bearer(page.dex))
      await page.check(bearer(page.dex, { aud: 'other' }))
      return page
    },
    failing: async () => {
      const page = await startPage(gated)
      page.dex.setFault('token', { kind: 'reset' })
      for (let n = 0; n < 12; n++) await page.check(bearer(page.dex))
      for (let n = 0; n < 12; n++) await page.check(bearer(page.dex, { aud: 'other' }))
      return page
    },
    empty: () => startPage(),
  }
  for (const [name, start] of Object.entries(scenes)) {
    await using page = await start()
    for (const [width, scheme] of [[1440, 'light'], [1440, 'dark'], [360, 'light'], [360,'dark']] as const) {
      const tab = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme })
      tab.on('console', m => console.log('CONSOLE', m.text()))
      tab.on('pageerror', m => console.log('ERR', m))
      await tab.goto(`http://localhost:${page.port}/`)
      await tab.waitForTimeout(1500)
      const w = await tab.evaluate('document.documentElement.scrollWidth')
      console.log(name, width, scheme, w, await tab.title())
      await tab.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true })
      await tab.close()
    }
  }
}, 120000)
