import { CommandFailure, countOf, print, printJson } from './output.ts'
import { administer, type OutputOptions } from './users.ts'

/** Removes single messages. @throws CommandFailure if one of them does not exist; the others are removed */
export async function removeMessages(
  dataDir: string,
  ids: readonly string[],
  { json }: OutputOptions,
): Promise<void> {
  const removed = await administer(dataDir, async ({ messages }) => messages.remove(ids))
  const missing = ids.filter((id) => !removed.includes(id))
  if (json) await printJson({ removed, missing })
  else if (removed.length > 0) await print(`Removed ${countOf(removed.length, 'message')}.`)
  if (missing.length > 0) throw new CommandFailure(`No message has the id ${missing.join(', ')}.`)
}
