/** Something that went wrong outside this program; its message is all that a person needs. */
export class QuickstartFailure extends Error {
  override readonly name = 'QuickstartFailure'
}
