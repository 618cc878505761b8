import exampleFile from '../../.env.example' with { type: 'text' }
import type { Environment } from '../config.ts'

export interface Setting {
  readonly name: string
  /** The default; empty if the setting has none. */
  readonly value: string
  readonly meaning: string
}

/** The settings of .env.example: each is a block of comments followed by `NAME=default`. */
export function readSettings(text: string): Setting[] {
  return text.split('\n\n').flatMap((block) => {
    const lines = block.trim().split('\n')
    const meaning = lines
      .filter((line) => line.startsWith('# '))
      .map((line) => line.slice(2))
      .join(' ')
    return lines
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => {
        const [name = '', value = ''] = line.split(/=(.*)/)
        return { name, value, meaning }
      })
  })
}

export interface EffectiveSetting {
  readonly name: string
  /** Null if the setting is unset and has no default. */
  readonly value: string | null
  readonly source: 'environment' | 'default'
}

const hidden = '(hidden)'
const isSecret = (name: string) => /SECRET|KEY|PASSWORD|DATABASE_URL|REDIS_URL/.test(name)

/** All settings with the values that take effect; secrets are hidden. */
export const effectiveSettings = (environment: Environment): EffectiveSetting[] =>
  // `bun run docs --check` compares the file with the settings and defaults that config.ts reads.
  readSettings(exampleFile).map(({ name, value: fallback }) => {
    const configured = environment[name]?.trim() || undefined
    if (configured === undefined) return { name, value: fallback || null, source: 'default' }
    return { name, value: isSecret(name) ? hidden : configured, source: 'environment' }
  })
