import type { DexUser } from '../src/index.ts'

/** A user with every claim, as in a Dex whose `username` is only for display. */
export const admin: DexUser = {
  email: 'Admin@example.com',
  password: 'correct horse',
  username: 'admin',
  name: 'Admin User',
  preferredUsername: 'root',
  userID: '08a8684b-db88-4b73-90a9-3cd1661f5466',
  groups: ['team-a', 'team-a/admins'],
}

/** A user with a name and no more, whose email is not verified. */
export const plain: DexUser = {
  email: 'plain@example.com',
  password: 'p&=+é',
  username: 'plain',
  userID: 'u-2',
  emailVerified: false,
}

export const nameless: DexUser = { email: 'nameless@example.com', password: 'x', userID: 'u-3' }

export const conformanceUsers: readonly DexUser[] = [admin, plain, nameless]

/** Subjects of the users at the connector `local`. */
export const adminSubject = 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs'
export const plainSubject = 'CgN1LTISBWxvY2Fs'
