import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { html } from '../../src/admin/page/html.ts'
import type { PageFacts } from '../../src/admin/page/page-status.ts'
import { documentText, eventText, jsonText } from '../../src/admin/page/page-texts.ts'
import { at, certificate, healthy, issuer, keySet, minute, outage, withActivity } from './page-facts.ts'

/** Facts with the same text wherever somebody else chooses one. */
function saying(text: string): PageFacts {
  const failure = outage({ message: text, hint: text, cause: text, url: text })
  const [client] = healthy.broker.clients
  const line = { level: 'error', message: text, code: text, reason: text, hint: text, client: text } as const
  return {
    ...withActivity({ configFaults: 1 }),
    replica: text,
    notReadyBecause: text,
    broker: {
      ...healthy.broker,
      issuers: [
        {
          ...issuer,
          name: text,
          issuer: text,
          discovery: { ...keySet, url: text, loadedAt: undefined, outage: failure },
          keySet: { ...keySet, kids: [text, text], outage: failure },
        },
        { ...issuer, name: 'other', keySet: undefined, keysOf: text },
      ],
      clients: client
        ? [{ ...client, name: text, clientId: text, issuer: text, scope: text, outage: failure }]
        : [],
    },
    certificates: [{ ...certificate, subject: text, file: text, validTo: at + minute }],
    errors: [{ ...line, cause: text, url: text, faults: [text], count: 1, firstAt: at, lastAt: at }],
    configuration: `${text}=${text}\n\n${text}`,
  }
}

/** Every tag, with its attributes but for their values. */
function tagsOf(page: string): string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/"[^"]*"/g, '""'))
}

describe('the markup of the status page', () => {
  test.each([
    ['no check', [], /Half take<\/dt><dd>–<\/dd><dd class="detail"><\/dd>/],
    ['quick checks', [{ upToMs: 5, count: 3 }], /Half take<\/dt><dd>5 ms<\/dd><dd class="detail">or less</],
    [
      'checks beyond the last bound',
      [
        { upToMs: 10_000, count: 0 },
        { upToMs: undefined, count: 3 },
      ],
      /Half take<\/dt><dd>10 s<\/dd><dd class="detail">or more</,
    ],
  ])('says how long half of the checks take: %s', (_, durations, tile) => {
    expect(documentText(withActivity({ durations }))).toMatch(tile)
  })

  test('has a row and circuits of the token endpoint for client certificates', () => {
    const { tokenEndpoint } = issuer
    const mtlsTokenEndpoint = tokenEndpoint && {
      ...tokenEndpoint,
      url: 'https://mtls.example.com/token',
      running: 7,
    }
    const status = { ...issuer, ...(mtlsTokenEndpoint && { mtlsTokenEndpoint }) }
    const page = documentText({ ...healthy, broker: { ...healthy.broker, issuers: [status] } })
    expect(page).toContain('https://mtls.example.com/token')
    expect(page).toContain('issues tokens to clients with a certificate')
    expect(page).toContain('7 of ')
    expect(page.match(new RegExp(`${issuer.name} mtls`, 'g'))).toHaveLength(4)
  })

  test('is the same whatever names, messages and key ids say', () => {
    const plain = tagsOf(documentText(saying('plain')))
    const hostile = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='x",
      '</style><b>',
      '&lt;b&gt;',
      '<!--',
      ']]>',
    ]
    for (const text of hostile) expect(tagsOf(documentText(saying(text)))).toEqual(plain)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), text => {
        // A line break or an equals sign makes other settings of the configuration text.
        const one = `x${text.replace(/[\n=]/g, '<')}`
        expect(tagsOf(documentText(saying(one)))).toEqual(plain)
      }),
    )
  })

  test('escapes text once, and markup of its own never', () => {
    expect(html`<b title="${'"'}">${'<&>'}${[html`<i>${"'"}</i>`, undefined, false, 0]}</b>`.toString()).toBe(
      '<b title="&quot;">&lt;&amp;&gt;<i>&#39;</i>0</b>',
    )
  })

  test('of an event is one line, so that it cannot end the event', () => {
    expect(eventText(saying('a\n\ndata: b\r\revent: c'))).not.toMatch(/[\r\n]/)
  })

  test('says first what is wrong, since when and what to do', () => {
    const page = documentText(saying('nonsense'))
    const main = page.slice(page.indexOf('<main'))
    expect(main.indexOf('id="problems"')).toBeLessThan(main.indexOf('id="overview"'))
    expect(main).toContain('Discovery of the issuer nonsense fails: nonsense (nonsense)')
    expect(main).toContain('<strong>Do:</strong> nonsense')
    expect(main).toContain('Since <time datetime="2030-01-01T11:57:00Z">11:57:00 UTC</time>')
    expect(main).toContain('docs/operations.md#discovery-failing')
  })

  test('says that nothing is wrong, and since when the process runs', () => {
    const page = documentText(healthy)
    expect(page).toContain('<title>OK – dex-token-broker on broker-7d9</title>')
    expect(page).toContain(
      'Nothing is wrong. Running since <time datetime="2030-01-01T11:00:00Z">11:00:00 UTC</time>',
    )
  })

  test('has a row for each fact: clients, keys, circuits, caches, errors and settings', () => {
    const text = documentText(saying('plain')).replace(/<[^>]*>/g, ' ')
    for (const part of [
      'in 40 min',
      'closed',
      '90.0 %',
      '30.0 %',
      'up to 1 ms',
      'the keys of plain',
      'Version 1.2.3',
    ]) {
      expect(text.replace(/\s+/g, ' ')).toContain(part)
    }
  })

  test('says what there is none of', () => {
    const { broker } = healthy
    const page = documentText({
      ...withActivity({ checks: {}, durations: [{ upToMs: 1, count: 0 }] }),
      broker: { ...broker, issuers: [], clients: [] },
      errors: undefined,
      certificates: [],
    })
    for (const part of [
      'No client is configured: callers bring their own credentials.',
      'No key set is needed.',
      'No check in the last minutes.',
      'The server logs to a logger of its caller, whose lines are not kept.',
    ]) {
      expect(page).toContain(part)
    }
  })

  test('has the same content as JSON', () => {
    const facts = saying('plain')
    expect(JSON.parse(jsonText(facts))).toMatchObject(JSON.parse(JSON.stringify(facts)))
    expect(JSON.parse(jsonText(facts)).problems[0]).toMatchObject({ kind: 'discovery-failing' })
  })
})
