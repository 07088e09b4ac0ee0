import { BlockList, isIP } from 'node:net'
import { isLoopbackHost } from '@broker/core/options'
import type { ProxySettings } from './config/values/proxy-settings.ts'

type Exemption = (host: string, port: string) => boolean

/**
 * Which proxy a request takes, by the rules of Go's `net/http`: the one for the scheme of the URL, none for loopback, and none for
 * what NO_PROXY names: `*`, a domain with all below it, `.domain` for those below it only, an address, a network (CIDR), each of
 * them but a network with or without a port.
 */
export class ProxyRules {
  readonly #settings: ProxySettings
  readonly #exemptions: readonly Exemption[]

  constructor(settings: ProxySettings) {
    this.#settings = settings
    this.#exemptions = settings.noProxy.split(',').flatMap(entry => exemptionOf(entry.trim().toLowerCase()))
  }

  /** `undefined`: a direct connection. */
  proxyOf(url: string): URL | undefined {
    const { protocol, hostname, port } = new URL(url)
    const isTls = protocol === 'https:'
    const proxy = isTls ? this.#settings.https : this.#settings.http
    const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
    if (proxy === undefined || isLoopbackHost(host)) return undefined
    const usedPort = port || (isTls ? '443' : '80')
    return this.#exemptions.some(exempts => exempts(host, usedPort)) ? undefined : proxy
  }
}

function exemptionOf(entry: string): readonly Exemption[] {
  if (entry === '') return []
  if (entry === '*') return [() => true]
  const network = /^([\da-f.:]+)\/(\d{1,3})$/.exec(entry)
  if (network?.[1] !== undefined) return networkExemption(network[1], Number(network[2]))
  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? []
  // An IPv6 address without brackets has no port.
  const name = isIP(entry) === 6 ? entry : (bracketed ?? plain)
  const atPort = isIP(entry) === 6 ? undefined : port
  const isAtPort = (used: string) => atPort === undefined || atPort === used
  const family = isIP(name)
  if (family !== 0) {
    const list = new BlockList()
    list.addAddress(name, familyName(family))
    return [(host, used) => isAtPort(used) && isIP(host) !== 0 && list.check(host, familyName(isIP(host)))]
  }
  const suffix = name.replace(/^\*?\.?/, '')
  const isWithoutApex = suffix !== name
  return [
    (host, used) => isAtPort(used) && ((!isWithoutApex && host === suffix) || host.endsWith(`.${suffix}`)),
  ]
}

function networkExemption(address: string, prefix: number): readonly Exemption[] {
  const family = isIP(address)
  if (family === 0 || prefix > (family === 6 ? 128 : 32)) return []
  const list = new BlockList()
  list.addSubnet(address, prefix, familyName(family))
  return [host => isIP(host) !== 0 && list.check(host, familyName(isIP(host)))]
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 6 ? 'ipv6' : 'ipv4'
}
