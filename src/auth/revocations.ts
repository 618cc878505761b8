import type { MaybePromise } from '../maybe-promise.ts'

/**
 * The tokens that were revoked one by one, for example by a logout. All tokens of a user are revoked
 * together by `Users.revokeTokens`. Both methods throw, or reject with, StorageUnavailable if the storage is
 * temporarily unavailable.
 */
export interface Revocations {
  /**
   * Revokes a token. The revocation is stored until the token would have expired.
   *
   * @param tokenId the `jti` of the token
   * @param expiresAt the `exp` of the token: seconds since the epoch
   */
  revoke(tokenId: string, expiresAt: number): MaybePromise<void>
  isRevoked(tokenId: string): MaybePromise<boolean>
}
