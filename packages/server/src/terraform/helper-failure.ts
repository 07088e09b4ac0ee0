/** Why a host gets no token, in sentences for a person, one per line, without a secret. */
export class HelperFailure extends Error {
  override readonly name = 'HelperFailure'
}
