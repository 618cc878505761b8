import { UnusableStorage } from '../errors.ts'
import { failureKind, QueryTimedOut, sqlState } from './errors.ts'

/** Where the server is, for messages: without the user and the password. */
export function describeServer(url: string): { address: string; database: string; user: string } {
  const { hostname, port, pathname, username } = new URL(url)
  return {
    address: `${hostname}:${port || '5432'}`,
    database: decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username) || 'postgres',
    user: decodeURIComponent(username) || 'postgres',
  }
}

/** Codes of certificates that are not accepted. */
const certificateFault = /CERT|SELF_SIGNED|ISSUER|ALTNAME|HOSTNAME/

/** What is wrong with TLS, as the end of a sentence; undefined if something else is. */
function explainTls(error: unknown): string | undefined {
  const { code, message } = error as { code?: unknown; message?: string }
  if (code === 'ERR_POSTGRES_TLS_NOT_AVAILABLE') {
    return 'does not support TLS. Turn it on there, or remove sslmode from the URL.'
  }
  if (typeof code !== 'string' || code.startsWith('ERR_POSTGRES_') || !certificateFault.test(code))
    return undefined
  return (
    `has a certificate that is not trusted: ${message}. Set NODE_EXTRA_CA_CERTS to the file of its certificate ` +
    'authority, or use ?sslmode=require, which accepts any certificate.'
  )
}

/** What prevents the service from using the server, for the operator. */
export function explainStart(error: unknown, url: string): unknown {
  if (error instanceof UnusableStorage) return error
  const { address, database, user } = describeServer(url)
  const state = sqlState(error)
  const message = (error as Error).message
  const unusable = (text: string) => new UnusableStorage(`DATABASE_URL: ${text}`, { cause: error })
  const tlsFault = explainTls(error)
  if (tlsFault !== undefined) return unusable(`the server at ${address} ${tlsFault}`)
  if (state === undefined && failureKind(error) !== 'fault') {
    const reason = error instanceof QueryTimedOut ? 'does not respond' : 'cannot be reached'
    return unusable(
      `the PostgreSQL server at ${address} ${reason}. Check that it is running, and the host and the port.`,
    )
  }
  if (state === undefined) return error
  if (state.startsWith('28') && message.includes('no encryption')) {
    return unusable(
      `the server at ${address} refuses the user ${user} without TLS: ${message}. Add ?sslmode=require to the URL, ` +
        'or allow the connection in pg_hba.conf.',
    )
  }
  if (state.startsWith('28')) {
    return unusable(
      `the server at ${address} refuses the user ${user}: ${message}. Check the user and the password.`,
    )
  }
  if (state === '3D000') {
    return unusable(`the server at ${address} has no database ${database}. Create it, or change the URL.`)
  }
  if (state === '42501' && !message.includes('for database')) {
    return unusable(
      `the user ${user} may not use the schema "parley" in the database ${database}: ${message}. Connect as the ` +
        'role that owns it, or make this user its owner.',
    )
  }
  if (state === '42501') {
    return unusable(
      `the user ${user} may not create the schema "parley" in the database ${database}: ${message}. Grant it ` +
        'CREATE on the database.',
    )
  }
  // PgBouncer does not know the settings that a session of Parley starts with.
  if (state === '08P01') {
    return unusable(
      `the server at ${address} is a connection pooler, or does not support the session that Parley needs ` +
        `(${message}). Connect to PostgreSQL directly.`,
    )
  }
  return unusable(`the server at ${address} reports: ${message}`)
}
