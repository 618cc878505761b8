// Import this function `with { type: 'macro' }`: a compiled binary then contains the script, and does not need
// the sources of the client.

/** The client package as one minified script. In its own process, because a macro cannot use `Bun.build`. */
export function clientBundle(): string {
  const entrypoint = new URL('../../client/src/index.ts', import.meta.url).pathname
  const command = [process.execPath, 'build', '--target=browser', '--format=esm', '--minify', entrypoint]
  const { exitCode, stdout, stderr } = Bun.spawnSync(command)
  if (exitCode !== 0) throw new Error(`The client cannot be bundled: ${stderr}`)
  return stdout.toString()
}
