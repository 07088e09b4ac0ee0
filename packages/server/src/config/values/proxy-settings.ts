import { isIP } from 'node:net'
import { Refusal } from './refusal.ts'

/** The proxies of the environment. Their URLs may contain credentials: never show them. */
export interface ProxySettings {
  /** For https URLs. */
  readonly https: URL | undefined
  /** For http URLs. */
  readonly http: URL | undefined
  /** NO_PROXY as it is. */
  readonly noProxy: string
}

/** The names of each variable, as Go reads them: the first that is not empty counts. */
const names = {
  https: ['HTTPS_PROXY', 'https_proxy'],
  http: ['HTTP_PROXY', 'http_proxy'],
  noProxy: ['NO_PROXY', 'no_proxy'],
} as const

/** The variable in the environment that names a proxy; `undefined` without one. */
export function proxyVariable(env: NodeJS.ProcessEnv): string | undefined {
  return [...names.https, ...names.http].find(name => env[name])
}

/** Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY. `onFault` gets the name of a faulty one, and a problem that does not show its value. */
export function readProxySettings(
  env: NodeJS.ProcessEnv,
  onFault: (variable: string, problem: string) => void,
): ProxySettings {
  const nameOf = (each: readonly string[]) => each.find(name => env[name]) ?? ''
  const urlOf = (each: readonly string[]) => {
    const name = nameOf(each)
    try {
      return name === '' ? undefined : proxyUrl(env[name] ?? '')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      for (const problem of error.problems) onFault(name, problem)
      return undefined
    }
  }
  return { https: urlOf(names.https), http: urlOf(names.http), noProxy: env[nameOf(names.noProxy)] ?? '' }
}

/** As in Go, `proxy.example.com:3128` is short for `http://proxy.example.com:3128`. */
function proxyUrl(text: string): URL {
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || url.hostname === '') throw new Refusal('is not the URL of a proxy')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Refusal(`names a proxy for ${url.protocol.slice(0, -1)}; only http and https are supported`)
  }
  // Node refuses to send an address as a server name.
  if (url.protocol === 'https:' && isIP(url.hostname.replace(/^\[(.*)\]$/, '$1')) !== 0) {
    throw new Refusal('names a proxy with TLS by its address; use its host name')
  }
  if (!isDecodable(url.username + url.password)) {
    throw new Refusal('has a % in its user name or password that begins no escape; write it as %25')
  }
  return url
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
