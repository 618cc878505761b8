import type { Account } from './users.ts'

/** The columns of an account that every engine selects. */
interface AccountRow {
  readonly id: string
  readonly username: string
  readonly tokensValidFrom: number
}

export const toAccount = ({ id, username, tokensValidFrom }: AccountRow): Account => ({
  user: { id, username },
  tokensValidFrom,
})
