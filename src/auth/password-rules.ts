import { ProblemError } from '../contract/problems.ts'
import { isCommonPassword } from './common-passwords.ts'

/** Whether a password is among the first ones that an attacker would try for this user. */
export const isTooCommon = (password: string, username: string): boolean =>
  isCommonPassword(password) || password.toLowerCase() === username.toLowerCase()

/**
 * @param pointer the JSON pointer of the password in the request
 * @throws ProblemError password-too-common
 */
export function requireUncommonPassword(password: string, username: string, pointer: string): void {
  if (!isTooCommon(password, username)) return
  throw new ProblemError('password-too-common', { errors: [{ pointer, detail: 'is too common' }] })
}
