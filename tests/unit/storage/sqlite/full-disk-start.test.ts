import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from '../../support/child.ts'
import { connectSender } from '../../support/sender.ts'
import { temporaryFolder } from '../../support/service.ts'
import { canMount, mountTmpfs } from '../../support/small-disk.ts'

const messages = Array.from({ length: 20 }, (_, index) => `${index} ${'a'.repeat(900)}`)

interface StartOptions {
  readonly dataDir: string
  readonly launcher: readonly string[]
}

/** Stores messages, and kills the service: they are in the WAL, and not yet in the database file. */
async function storeAndKill({ dataDir, launcher }: StartOptions): Promise<void> {
  await using service = await startChild({ launcher, environment: { DATA_DIR: dataDir } })
  const { send } = await connectSender(service.url)
  for (const message of messages) expect(await send(message)).toBe(200)
}

async function expectMessages({ dataDir, launcher }: StartOptions, sendStatus: number): Promise<void> {
  await using service = await startChild({ launcher, environment: { DATA_DIR: dataDir } })
  const { send, texts } = await connectSender(service.url)
  expect(await texts()).toEqual(messages)
  expect(await send('a'.repeat(1500))).toBe(sendStatus)
}

test('a killed service starts at a limit on file sizes, and its messages can be read', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  await storeAndKill({ dataDir, launcher: [] })
  // In units of 512 bytes, so that neither the file nor the WAL can grow. The signal of the limit is ignored.
  const blocks = Math.ceil(statSync(join(dataDir, 'parley.sqlite')).size / 512)
  const limit = `trap "" XFSZ; ulimit -f ${blocks}; exec "$@"`
  await expectMessages({ dataDir, launcher: ['sh', '-c', limit, 'sh'] }, 503)
  await expectMessages({ dataDir, launcher: [] }, 200)
})

test.skipIf(!canMount)(
  'a killed service starts on a full file system, and its messages can be read',
  async () => {
    await using folder = await temporaryFolder()
    await using disk = await mountTmpfs(folder.path)
    if (!disk) throw new Error('The tmpfs could not be mounted')
    await storeAndKill(disk)
    await disk.fill(0)
    await expectMessages(disk, 503)
    await disk.free()
    await expectMessages(disk, 200)
  },
)
