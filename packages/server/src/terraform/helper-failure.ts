import { exitStatus } from '../command-line/exit-status.ts'

/** Why a host gets no token, in sentences for a person, one per line, without a secret. */
export class HelperFailure extends Error {
  override readonly name = 'HelperFailure'
  readonly exitCode: number

  constructor(text: string, { code }: { readonly code: number } = exitStatus.wrongConfiguration) {
    super(text)
    this.exitCode = code
  }
}
