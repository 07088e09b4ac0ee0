import { YamlConfigReader } from '../../src/config/file/yaml-config-reader.ts'
import type { CheckResult } from '../../src/doctor/check-result.ts'
import { runDoctor } from '../../src/doctor/run-doctor.ts'

/** What a run of `doctor` left. */
export interface DoctorRun {
  readonly code: number
  /** As on a terminal without colours. */
  readonly text: string
  /** The first result with a name, which may be given by its beginning. */
  result(name: string): CheckResult
  /** Every name with its verdict: `ok connection`. */
  readonly verdicts: readonly string[]
}

type Environment = Readonly<Record<string, string>>

/** Addresses that no other test uses. */
const anyAddress = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' }

/** Runs `doctor` in this process with exactly this environment, and with free ports where it names none. */
export async function doctor(environment: Environment, args: readonly string[] = []): Promise<DoctorRun> {
  const surroundings = {
    env: { ...anyAddress, ...environment },
    fileReader: async () => new YamlConfigReader(),
    hasColours: false,
  }
  const written: string[] = []
  const code = await runDoctor([...args, '--json'], {
    ...surroundings,
    write: text => void written.push(text),
  })
  const json = written.join('')
  const { groups } = JSON.parse(json) as { groups: { title: string; results: CheckResult[] }[] }
  const results = groups.flatMap(group => group.results)
  return {
    code,
    text: results
      .map(
        ({ verdict, name, fact, advice }) => `${verdict} ${name}: ${fact}${advice ? ` -> ${advice}` : ''}\n`,
      )
      .join(''),
    result(name) {
      const found =
        results.find(each => each.name === name) ?? results.find(each => each.name.startsWith(name))
      if (found === undefined) throw new Error(`no result ${name} in:\n${json}`)
      return found
    },
    verdicts: results.map(({ name, verdict }) => `${verdict} ${name.replaceAll(/\d{4,5}/g, 'PORT')}`),
  }
}
