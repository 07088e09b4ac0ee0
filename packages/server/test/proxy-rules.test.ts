import { expect, test } from 'vitest'
import { readProxySettings } from '../src/config/values/proxy-settings.ts'
import { ProxyRules } from '../src/proxy-rules.ts'

const proxies = { HTTPS_PROXY: 'http://secure.example:3128', HTTP_PROXY: 'plain.example:3128' }

function rules(environment: Readonly<Record<string, string>>) {
  const faults: string[] = []
  const settings = readProxySettings(environment, (variable, problem) =>
    faults.push(`${variable} ${problem}`),
  )
  const proxyOf = (url: string) => new ProxyRules(settings).proxyOf(url)?.hostname
  return { proxyOf, faults }
}

test('the scheme of the URL chooses the proxy, and one is never used for the other', () => {
  expect(rules(proxies).proxyOf('https://dex.example.com/token')).toBe('secure.example')
  expect(rules(proxies).proxyOf('http://dex.example.com/token')).toBe('plain.example')
  expect(rules({ HTTP_PROXY: proxies.HTTP_PROXY }).proxyOf('https://dex.example.com')).toBeUndefined()
  expect(rules({ https_proxy: 'http://lower.example' }).proxyOf('https://dex.example.com')).toBe(
    'lower.example',
  )
})

test.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]'])('%s is never proxied', host =>
  expect(rules(proxies).proxyOf(`https://${host}:5556/dex`)).toBeUndefined(),
)

// As golang.org/x/net/http/httpproxy documents them.
test.each([
  ['*', 'dex.example.com', false],
  ['example.com', 'example.com', false],
  ['example.com', 'dex.example.com', false],
  ['example.com', 'notexample.com', true],
  ['.example.com', 'dex.example.com', false],
  ['.example.com', 'example.com', true],
  ['*.example.com', 'dex.example.com', false],
  ['EXAMPLE.com', 'dex.example.com.', false],
  ['dex.example.com:443', 'dex.example.com', false],
  ['dex.example.com:8443', 'dex.example.com', true],
  ['dex.example.com:8443', 'dex.example.com:8443', false],
  ['other.example, dex.example.com', 'dex.example.com', false],
  ['10.0.0.0/8', '10.1.2.3', false],
  ['10.0.0.0/8', '11.1.2.3', true],
  ['10.0.0.0/8', 'dex.example.com', true],
  ['10.1.2.3', '10.1.2.3', false],
  ['10.1.2.3:8443', '10.1.2.3', true],
  ['10.1.2.3:443', '10.1.2.3', false],
  ['fd00::/8', '[fd12::1]', false],
  ['fd12::1', '[fd12:0::1]', false],
  ['[fd12::1]:443', '[fd12::1]', false],
  ['fd12::2', '[fd12::1]', true],
  ['10.0.0.0/99,,', '10.1.2.3', true],
  ['', 'dex.example.com', true],
])('NO_PROXY=%s, %s: proxied %s', (noProxy, host, isProxied) => {
  const { proxyOf } = rules({ ...proxies, NO_PROXY: noProxy })
  expect(proxyOf(`https://${host}/token`) !== undefined).toBe(isProxied)
})

test('a broken escape in the credentials of a proxy is a fault that does not show them', () => {
  const { faults } = rules({ HTTPS_PROXY: 'http://user:s3cret%zz@proxy:3128' })
  expect(faults).toEqual([
    'HTTPS_PROXY has a % in its user name or password that begins no escape; write it as %25',
  ])
})

test('a URL that no proxy can have is a fault that does not show it', () => {
  const { faults } = rules({
    HTTPS_PROXY: 'socks5://user:s3cret@proxy:1080',
    HTTP_PROXY: 'http://user:s3cret@',
  })
  expect(faults).toEqual([
    'HTTPS_PROXY names a proxy for socks5; only http and https are supported',
    'HTTP_PROXY is not the URL of a proxy',
  ])
})
