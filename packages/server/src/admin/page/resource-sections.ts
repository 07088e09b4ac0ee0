import type { CacheStatus } from '@broker/core'
import { isOfClient, serverOf } from '../../tls/certificate-in-use.ts'
import { validityOf } from '../../tls/certificate-validity.ts'
import { type Html, html } from './html.ts'
import type { PageStatus } from './page-status.ts'
import { ago, badge, code, integer, moment, percent, section, until } from './parts.ts'
import { table } from './table.ts'

/** How full the caches are. */
export function cachesSection({ broker }: PageStatus): Html {
  const { tokens, exchangedTokens, verifiedJwts } = broker.caches
  const rows = [
    cacheRow('tokens', tokens),
    cacheRow("users' tokens", exchangedTokens),
    ...(verifiedJwts === undefined
      ? []
      : [
          [
            'verified JWTs',
            integer(verifiedJwts.entries),
            limitText(verifiedJwts.maxEntries),
            fillText(verifiedJwts),
          ],
        ]),
  ]
  return section(
    'caches',
    'Caches',
    table(
      'Counters since the start',
      [
        'Cache',
        '#Entries',
        '#Limit',
        '#Full',
        '#Clients',
        '#Hits',
        '#Misses',
        '#Hit ratio',
        '#Stale',
        '#Evicted',
      ],
      rows,
    ),
  )
}

function cacheRow(name: string, cache: CacheStatus) {
  const { entries, maxEntries, owners, hits, misses, stale, evictions } = cache
  return [
    name,
    integer(entries),
    limitText(maxEntries),
    fillText(cache),
    integer(owners),
    integer(hits),
    integer(misses),
    percent(hits, hits + misses),
    integer(stale),
    integer(evictions),
  ]
}

function limitText(maxEntries: number): string {
  return maxEntries === 0 ? 'off' : integer(maxEntries)
}

function fillText({ entries, maxEntries }: Pick<CacheStatus, 'entries' | 'maxEntries'>): string | undefined {
  return percent(entries, maxEntries)
}

const uses = {
  check: 'check listener',
  grpc: 'gRPC listener',
  admin: 'admin listener',
} as const

const validityBadges = {
  valid: undefined,
  expiring: badge('warning', 'expiring'),
  expired: badge('critical', 'expired'),
  not_yet_valid: badge('critical', 'not yet valid'),
} as const

/** The certificates in use. */
export function certificatesSection({ certificates, at }: PageStatus): Html | undefined {
  if (certificates.length === 0) return undefined
  const rows = certificates.map(certificate => {
    const { listener, subject, file, validTo } = certificate
    return [
      isOfClient(listener) ? `broker towards ${serverOf(listener)}` : uses[listener],
      code(subject),
      code(file),
      html`${validityBadges[validityOf(certificate, at)]} ${moment(validTo, at)}`,
      until(validTo, at, 'expired'),
    ]
  })
  return section(
    'certificates',
    'Certificates',
    table('Certificates in use', ['Of', 'Subject', 'File', 'Valid until', 'Expires'], rows),
    true,
  )
}

/** The last lines of the log that tell of a failure. */
export function errorsSection({ errors, at }: PageStatus): Html {
  const rows = (errors ?? []).map(
    ({
      level,
      message,
      code: errorCode,
      reason,
      hint,
      client,
      cause,
      url,
      faults,
      count,
      firstAt,
      lastAt,
    }) => [
      html`<p>${message}${client !== undefined && html` <span class="aside">client ${client}</span>`}${reason !== undefined && html` <span class="aside">${reason}</span>`}</p>${url !== undefined && html`<p><code>${url}</code></p>`}${faults.map(fault => html`<p>${fault}</p>`)}${hint !== undefined && html`<p class="action"><strong>Do:</strong> ${hint}</p>`}`,
      badge(level === 'warn' ? 'warning' : 'critical', level),
      [errorCode, cause].flatMap(each => (each ? [html`<p class="code">${code(each)}</p>`] : [])),
      integer(count),
      ago(lastAt, at),
      ago(firstAt, at),
    ],
  )
  return section(
    'errors',
    'Last errors',
    table(
      'The last 50 different log lines at WARN and above, since the start',
      ['Message', 'Level', 'Code', '#Times', 'Last', 'First'],
      rows,
      errors === undefined
        ? 'The server logs to a logger of its caller, whose lines are not kept.'
        : 'No warning and no error since the start.',
    ),
    true,
  )
}

/** The configuration in effect. */
export function configurationSection({ configuration }: PageStatus): Html {
  const [variables = '', ...file] = configuration.split('\n\n')
  const pairs = variables.split('\n').map(line => /^([^=]*)=(.*)$/s.exec(line) ?? ['', line, ''])
  const set = pairs.filter(([, , value]) => value !== '')
  const unset = pairs.filter(([, , value]) => value === '').map(([, name]) => name)
  return section(
    'configuration',
    'Configuration in effect',
    html`<details><summary>${set.length} settings with a value, secrets masked</summary>
${table(
  'As dex-token-broker --check-config prints it',
  ['Variable', 'Value'],
  set.map(([, name, value]) => [html`<code>${name}</code>`, html`<code>${value}</code>`]),
)}
<p class="aside">Without a value: ${unset.join(', ')}</p>
${file.length > 0 && html`<h3>Issuers, clients and rules of the file</h3><pre>${file.join('\n\n')}</pre>`}
</details>`,
    true,
  )
}
