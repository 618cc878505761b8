// Redocly's command on the Bun that runs this, so that no Node of any version is needed, and without
// a word to anyone outside.
const command = new URL('../node_modules/@redocly/cli/bin/cli.js', import.meta.url).pathname

/** Runs Redocly's command; answers its exit code, and what it printed unless that goes to the screen. */
export async function redocly(
  args: readonly string[],
  output: 'inherit' | 'pipe' = 'inherit',
): Promise<{ exitCode: number; text: string }> {
  const run = Bun.spawn([process.execPath, '--bun', command, ...args], {
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  })
  const printed = [run.stdout, run.stderr].map((stream) => (stream ? new Response(stream).text() : ''))
  const text = (await Promise.all(printed)).join('')
  return { exitCode: await run.exited, text }
}

if (import.meta.main) process.exit((await redocly(process.argv.slice(2))).exitCode)
