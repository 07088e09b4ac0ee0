import { afterEach, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { credentials } from '../harness/dex.ts'
import { protocol } from '../harness/protocol.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

interface Line {
  readonly msg: string
  readonly request_id?: string
  readonly [field: string]: unknown
}

describeWithEnvoy("the ids in the broker's log", () => {
  const system = useSystem(() => ({
    environment: { ACCESS_LOG: 'all' },
    listeners: {
      logging: ({ connectionManager }) => {
        connectionManager['access_log'] = [
          {
            name: 'envoy.access_loggers.stdout',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
              log_format: {
                text_format_source: {
                  inline_string: 'answered %REQ(:PATH)% %RESPONSE_CODE% id=%REQ(X-REQUEST-ID)%\n',
                },
              },
            },
          },
        ]
      },
    },
  }))
  afterEach(() => system().backend.clear())

  /** Envoy's request id for a path, from its access log. */
  function idOf(target: string): Promise<string> {
    const { envoy } = system()
    return envoy.process.until(
      `a line about ${target}`,
      () => new RegExp(`answered ${target} \\d+ id=(\\S+)`).exec(envoy.process.log)?.[1],
    )
  }

  /** The lines of the broker with an id. */
  async function linesWith(id: string): Promise<Line[]> {
    const { process } = system().broker
    const lines = () =>
      process.log
        .split('\n')
        .filter(line => line.startsWith('{') && line.endsWith('}'))
        .map(line => JSON.parse(line) as Line)
        .filter(line => line.request_id === id)
    await process.until('the check in the log', () => lines().find(({ msg }) => msg === 'check'))
    return lines()
  }

  test("are the request id of Envoy's access log, and the caller's trace", async () => {
    const headers = { ...credentials, traceparent }
    expect((await ask(system().port('logging'), { target: '/passes', headers })).status).toBe(200)
    const lines = await linesWith(await idOf('/passes'))
    expect(lines).toMatchObject([
      {
        msg: 'check',
        outcome: 'allow',
        protocol,
        trace_id: traceId,
        span_id: 'b7ad6b7169203331',
        cache: 'miss',
      },
    ])
  })

  test('lead from a 401 to its reason, on the line of the refusal and of the request to Dex', async () => {
    const headers = { ...credentials, 'x-client-secret': 'wrong' }
    expect((await ask(system().port('logging'), { target: '/refused', headers })).status).toBe(401)
    const lines = await linesWith(await idOf('/refused'))
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'check', status: 401, code: 'token_request_rejected', protocol }),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: expect.stringMatching(/^token request failed/),
        oauthError: 'invalid_client',
      }),
    )
  })
})
