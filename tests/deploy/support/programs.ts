/** Debian installs servers in a folder that is in the search path of root only. */
export const programPath = `${process.env.PATH}:/usr/sbin`

/** Whether a program is installed. Otherwise its tests are left out, which is reported on standard error. */
export function hasProgram(name: string): boolean {
  const found = Bun.which(name, { PATH: programPath }) !== null
  if (!found) console.error(`SKIPPED: the tests of ${name}. Install its package.`)
  return found
}
