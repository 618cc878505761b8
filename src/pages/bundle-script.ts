import { fileURLToPath } from 'node:url'

/**
 * The text of a script for browsers with everything that it imports. Import it `with { type: 'macro' }`, so
 * that the text becomes part of the program.
 *
 * @param entry the path of the script, relative to this folder
 */
export function bundleScript(entry: string): string {
  const path = fileURLToPath(new URL(entry, import.meta.url))
  // A process, because `Bun.build` cannot be called while a macro runs.
  const { success, stdout, stderr } = Bun.spawnSync([
    process.execPath,
    'build',
    path,
    '--target=browser',
    '--format=esm',
    '--minify',
  ])
  if (!success) throw new Error(`The script ${entry} cannot be bundled: ${stderr}`)
  return stdout.toString()
}
