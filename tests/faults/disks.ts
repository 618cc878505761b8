import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chance } from './chance.ts'
import { endWithScenario, type Server } from './server.ts'
import { within } from './waiting.ts'

/** A place for the data that can be made full, and be freed again, under a running server. */
export interface Disk {
  name: string
  dataDir: string
  launcher: string[]
  fill(server: Server, chance: Chance): Promise<void>
  /** Without a server, where the one that ran is gone. */
  free(server?: Server): Promise<void>
}

const diskBytes = 24 * 1024 * 1024

/**
 * A small file system in memory, mounted in a namespace of its own: root is not needed, nobody else
 * sees it, and it is gone with its process. Undefined where the machine allows no such namespace.
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
  endWithScenario(holder)
  const { value } = await within(10_000, 'the mount is made or refused', holder.stdout.getReader().read())
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
    async fill(_server, chance) {
      const { bavail, bsize } = await statfs(`${namespace}${mountPoint}`)
      const blocks = Math.max(0, bavail - chance.between(0, 16))
      // The server may have taken what was just counted: then the disk is full all the sooner.
      await Bun.write(ballast, new Uint8Array(blocks * bsize)).catch((error: { code: string }) => {
        if (error.code !== 'ENOSPC') throw error
      })
    },
    free: () => rm(ballast),
  }
}

/**
 * A limit on the size of a file, put on the running server: what a disk quota does to a write, by
 * another error than that of a full disk. Works wherever util-linux does.
 */
export async function limitFileSize(folder: string): Promise<Disk> {
  const dataDir = join(folder, 'data')
  const setLimit = async (server: Server, bytes: string) => {
    // The soft limit alone, so that it can be raised again without privileges.
    const { exitCode, stderr } = Bun.spawnSync(['prlimit', '--pid', String(server.pid), `--fsize=${bytes}:`])
    if (exitCode !== 0) throw new Error(`prlimit: ${stderr}`)
  }
  return {
    name: 'a limit on file sizes (RLIMIT_FSIZE)',
    dataDir,
    // By default the signal that comes with the error ends the process.
    launcher: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'],
    async fill(server, chance) {
      const files = await readdir(dataDir)
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(dataDir, file))).size))
      await setLimit(server, String(Math.max(...sizes) + chance.between(0, 65_536)))
    },
    // The limit is that of a process, and is gone with it.
    free: async (server) => server && setLimit(server, 'unlimited'),
  }
}
