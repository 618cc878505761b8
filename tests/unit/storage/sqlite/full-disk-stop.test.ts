import { expect, test } from 'bun:test'
import { openPipe, startRedirected } from '../../support/log-outputs.ts'
import { connectSender } from '../../support/sender.ts'
import { temporaryFolder } from '../../support/service.ts'
import { canMount, limitFileSize, mountTmpfs, type SmallDisk } from '../../support/small-disk.ts'

/** Stops the service on a full disk, and expects exit code 0, a warning, and each message at the next start. */
async function stopOnFullDisk(disk: SmallDisk, folder: string): Promise<void> {
  const pipe = openPipe(folder)
  const settings = { redirections: `>${pipe.path}`, launcher: disk.launcher, dataDir: disk.dataDir }
  const sent: string[] = []
  {
    await using service = await startRedirected(settings)
    const { send } = await connectSender(service.url)
    for (let number = 1; number <= 40; number++) {
      const message = `${number} ${'a'.repeat(900)}`
      expect(await send(message)).toBe(200)
      sent.push(message)
    }
    const ready = async () => (await fetch(`${service.url}/readyz`)).json()
    expect(await ready()).toEqual({ status: 'ready' })
    await disk.fill(service.pid)
    // The WAL may have space left.
    while ((await send('a'.repeat(1500))) === 200) sent.push('a'.repeat(1500))
    expect(await ready()).toEqual({ status: 'ready', reasons: ['changes-fail'] })
    expect(await service.stop()).toBe(0)
  }
  const log = pipe.read()
  expect(log).toContain('The WAL remains, because the checkpoint failed')
  expect(log).toContain('"stopped"')
  pipe.closeReader()

  await disk.free()
  await using service = await startRedirected({ ...settings, redirections: '>/dev/null' })
  const { texts } = await connectSender(service.url)
  expect(await texts()).toEqual(sent)
}

test('a stop at a limit on file sizes exits with 0 and loses nothing', async () => {
  await using folder = await temporaryFolder()
  await using disk = limitFileSize(folder.path)
  await stopOnFullDisk(disk, folder.path)
})

test.skipIf(!canMount)('a stop on a full file system exits with 0 and loses nothing', async () => {
  await using folder = await temporaryFolder()
  await using disk = await mountTmpfs(folder.path)
  if (!disk) throw new Error('The tmpfs could not be mounted')
  await stopOnFullDisk(disk, folder.path)
})
