import { Elysia } from 'elysia'

/** Seconds. After a rotation, other services may not know the new key for this long. */
const maxAge = 300

/**
 * The public keys as a JSON Web Key Set (RFC 7517), so that other services can verify tokens themselves.
 * They are not confidential, so any cache may store them and pages of every origin may read them.
 */
export function jwksPage({ publicKeys }: { readonly publicKeys: readonly object[] }) {
  const body = JSON.stringify({ keys: publicKeys })
  const page = () =>
    new Response(body, {
      headers: {
        'content-type': 'application/jwk-set+json',
        'cache-control': `public, max-age=${maxAge}`,
        'access-control-allow-origin': '*',
      },
    })
  // Elysia does not derive HEAD from GET.
  return new Elysia({ name: 'jwks' }).get('/.well-known/jwks.json', page).head('/.well-known/jwks.json', page)
}
