import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  readonly healthcheck?: object
  readonly stop_grace_period?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
}

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export const composeFile = file('compose.yaml')
export const caddyFile = file('docs/deploy/nodes.Caddyfile')
export const composeText = await readFile(composeFile, 'utf8')
export const compose = Bun.YAML.parse(composeText) as Compose

/** Replaces `${NAME:?message}` as Compose does. @throws Error if the variable has no value */
export const interpolate = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{(\w+):\?([^}]*)\}/g, (_, name: string, message: string) => {
    const value = values[name]
    if (!value) throw new Error(message)
    return value
  })

interface Hosts {
  /** The URL of the database. */
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly jwtSecret: string
}

/** What differs between the containers of compose.yaml and processes on this machine. */
const addresses: readonly string[] = ['DATABASE_URL', 'REDIS_URL', 'JWT_SECRET', 'TRUSTED_PROXIES']
const local = { TRUSTED_PROXIES: '127.0.0.1' }

/** The settings of a node in compose.yaml, apart from addresses and secrets. */
export function composeSettings(): Record<string, string> {
  const written = Object.entries(compose.services['parley-1']?.environment ?? {})
  return { ...Object.fromEntries(written.filter(([name]) => !addresses.includes(name))), ...local }
}

/** The environment of a node in compose.yaml, with the addresses of this machine. */
export const nodeEnvironment = ({ databaseUrl, redisUrl, jwtSecret }: Hosts): Record<string, string> => ({
  ...composeSettings(),
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  JWT_SECRET: jwtSecret,
})
