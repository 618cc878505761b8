import { readKeySettings } from '../auth/key-settings.ts'
import { inspectKeyFiles } from '../auth/load-keys.ts'
import { ConfigError, type Environment, readConfig, readDataDir } from '../config.ts'
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
  const { notes, faults: folderFaults } = inspectDataFolder(dataDir)
  const faults = [
    ...(await findSettingFaults(environment)),
    ...folderFaults,
    ...(folderFaults.length === 0 ? await findKeyFaults(environment, dataDir) : []),
  ]
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
