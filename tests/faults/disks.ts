import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from './random.ts'
import { killAfterScenario, type Server } from './server.ts'
import { within } from './waiting.ts'

/** A place for the data folder that can be filled and freed while a server is running. */
export interface Disk {
  name: string
  dataDir: string
  launcher: string[]
  fill(server: Server, random: Random): Promise<void>
  /** Called without a server if it is no longer running. */
  free(server?: Server): Promise<void>
}

const diskBytes = 24 * 1024 * 1024

/**
 * A small in-memory file system in a separate mount namespace. It needs no privileges, is invisible to
 * other processes, and disappears with its process. Undefined if the machine allows no user namespaces.
 */
export async function mountSmallDisk(folder: string): Promise<Disk | undefined> {
  const mountPoint = join(folder, 'disk')
  await mkdir(mountPoint)
  const script = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec sleep 900'
  const holder = Bun.spawn(
    ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', String(diskBytes), mountPoint],
    {
      stdout: 'pipe',
      stderr: 'ignore',
    },
  )
  killAfterScenario(holder)
  const { value } = await within(
    10_000,
    'the file system is mounted or the mount fails',
    holder.stdout.getReader().read(),
  )
  if (!value) return undefined

  const namespace = `/proc/${holder.pid}/root`
  const ballast = `${namespace}${mountPoint}/ballast`
  return {
    name: 'a full file system (tmpfs)',
    dataDir: join(mountPoint, 'data'),
    launcher: [
      'nsenter',
      '--preserve-credentials',
      '--user',
      '--mount',
      '--wd',
      '--target',
      String(holder.pid),
      '--',
    ],
    async fill(_server, random) {
      const { bavail, bsize } = await statfs(`${namespace}${mountPoint}`)
      const blocks = Math.max(0, bavail - random.between(0, 16))
      // The server may have used some of this space since. Then the disk is already full.
      await Bun.write(ballast, new Uint8Array(blocks * bsize)).catch((error: { code: string }) => {
        if (error.code !== 'ENOSPC') throw error
      })
    },
    free: () => rm(ballast),
  }
}

/**
 * A limit on the file size of the running server. Like a disk quota, it makes writes fail with another
 * error than a full disk does. It works wherever util-linux is available.
 */
export async function limitFileSize(folder: string): Promise<Disk> {
  const dataDir = join(folder, 'data')
  const setLimit = async (server: Server, bytes: string) => {
    // Set only the soft limit, which can be raised again without privileges.
    const { exitCode, stderr } = Bun.spawnSync(['prlimit', '--pid', String(server.pid), `--fsize=${bytes}:`])
    if (exitCode !== 0) throw new Error(`prlimit: ${stderr}`)
  }
  return {
    name: 'a limit on file sizes (RLIMIT_FSIZE)',
    dataDir,
    // SIGXFSZ, which is sent together with the error, would terminate the process by default.
    launcher: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'],
    async fill(server, random) {
      const files = await readdir(dataDir)
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(dataDir, file))).size))
      await setLimit(server, String(Math.max(...sizes) + random.between(0, 65_536)))
    },
    // The limit belongs to the process and ends with it.
    free: async (server) => server && setLimit(server, 'unlimited'),
  }
}
