import { readKeySettings } from '../auth/key-settings.ts'
import { inspectKeyFiles } from '../auth/load-keys.ts'
import {
  ConfigError,
  databaseUrlFault,
  type Environment,
  readConfig,
  readDatabaseUrl,
  readDataDir,
} from '../config.ts'
import { policyNames } from '../contract/policies.ts'
import { CannotListen, checkHost } from '../listen-errors.ts'
import { inspectDataFolder } from '../storage/sqlite/inspection.ts'
import { findUnknownSettings } from '../unknown-settings.ts'
import { formatTable, print, printJson } from './output.ts'
import { effectiveSettings } from './settings.ts'
import type { OutputOptions } from './users.ts'

/** What is wrong with the settings. */
async function findSettingFaults(environment: Environment): Promise<readonly string[]> {
  try {
    await checkHost(readConfig(environment, policyNames).host)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    if (error instanceof CannotListen) return [error.message]
    throw error
  }
}

/** The state of the storage, and what is wrong with it. */
async function inspectStorage(environment: Environment, dataDir: string) {
  const url = readDatabaseUrl(environment)
  if (url === undefined) {
    const { notes, faults } = inspectDataFolder(dataDir)
    const keyFaults = faults.length === 0 ? await findKeyFaults(environment, dataDir) : []
    return { notes, faults: [...faults, ...keyFaults] }
  }
  // A URL that cannot be parsed is a fault of the settings.
  if (databaseUrlFault(url) !== undefined) return { notes: [], faults: [] }
  const { inspectServer } = await import('../storage/postgres/connection.ts')
  const fault = await inspectServer(url)
  return {
    notes: ['It is not used, because DATABASE_URL is set.'],
    faults: fault === undefined ? [] : [fault],
  }
}

/** What is wrong with the files of keys, also if other settings are invalid. */
const findKeyFaults = (environment: Environment, dataDir: string): Promise<string[]> =>
  inspectKeyFiles({
    dataDir,
    ...readKeySettings({
      environment,
      choice: (name, fallback, choices) =>
        choices.find((each) => each.toLowerCase() === environment[name]?.trim().toLowerCase()) ?? fallback,
      faults: [],
    }),
  })

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  - ${line}`)]

/**
 * Reports the settings that take effect and everything that would prevent the service from starting. It changes
 * nothing.
 *
 * @returns whether the service can start
 */
export async function check(environment: Environment, { json }: OutputOptions): Promise<boolean> {
  const dataDir = readDataDir(environment)
  const { notes, faults: storageFaults } = await inspectStorage(environment, dataDir)
  const faults = [...(await findSettingFaults(environment)), ...storageFaults]
  const settings = effectiveSettings(environment)
  const unknownSettings = findUnknownSettings(environment, policyNames)
  if (json) {
    await printJson({ settings, unknownSettings, dataDir, notes, faults })
    return faults.length === 0
  }
  const lines = [
    formatTable(settings.map(({ name, value, source }) => [name, value ?? '(unset)', source])),
    '',
    `Data folder: ${dataDir}`,
    ...notes.map((note) => `  - ${note}`),
    ...section(
      'Warnings',
      unknownSettings.map(
        ({ variable, setting }) => `${variable} is not a setting and has no effect. Did you mean ${setting}?`,
      ),
    ),
    ...section('Faults', faults),
    '',
    faults.length === 0 ? 'The service can start.' : 'The service cannot start.',
  ]
  await print(lines.join('\n'))
  return faults.length === 0
}
