// Runs the Redocly CLI with the current Bun, so that Node is not required, and with telemetry disabled.
const command = new URL('../node_modules/@redocly/cli/bin/cli.js', import.meta.url).pathname

/** Runs the Redocly CLI. Returns its exit code and, with `pipe`, its output. */
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
  const outputs = [run.stdout, run.stderr].map((stream) => (stream ? new Response(stream).text() : ''))
  const text = (await Promise.all(outputs)).join('')
  return { exitCode: await run.exited, text }
}

if (import.meta.main) process.exit((await redocly(process.argv.slice(2))).exitCode)
