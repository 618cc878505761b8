import { mkdirSync, statfsSync } from 'node:fs'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A place for the data that the test can make full while the service runs. */
export interface SmallDisk {
  readonly name: string
  readonly dataDir: string
  /** A command that ends by running its arguments. */
  readonly launcher: readonly string[]
  /** Makes the disk full for the process `pid`. */
  fill(pid: number): Promise<void>
  free(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Mounting a tmpfs needs root with CAP_SYS_ADMIN, or permitted user namespaces. A limit on file sizes needs neither. */
export const canMount = Bun.spawnSync(['unshare', '--map-root-user', '--mount', 'true']).exitCode === 0

const defaultBytes = 16 * 1024 * 1024

/**
 * Mounts a file system (tmpfs) in a mount namespace. This needs root with CAP_SYS_ADMIN, or a
 * machine that permits user namespaces; returns undefined elsewhere.
 */
export async function mountTmpfs(folder: string, bytes = defaultBytes): Promise<SmallDisk | undefined> {
  const mountPoint = join(folder, 'disk')
  mkdirSync(mountPoint)
  const mount = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec sleep 300'
  const arguments_ = ['sh', '-c', mount, 'sh', String(bytes), mountPoint]
  const holder = Bun.spawn(['unshare', '--map-root-user', '--mount', ...arguments_], {
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const { done } = await holder.stdout.getReader().read()
  if (done) return undefined
  const outside = `/proc/${holder.pid}/root${mountPoint}`
  const ballast = join(outside, 'ballast')
  const enter = ['nsenter', '--preserve-credentials', '--user', '--mount', '--target', String(holder.pid)]
  return {
    name: 'a full file system',
    dataDir: join(mountPoint, 'data'),
    launcher: [...enter, `--wd=${process.cwd()}`, '--'],
    async fill() {
      const { bavail, bsize } = statfsSync(outside)
      await writeFile(ballast, new Uint8Array(bavail * bsize))
    },
    free: () => rm(ballast),
    async [Symbol.asyncDispose]() {
      holder.kill('SIGKILL')
      await holder.exited
    },
  }
}

/** Limits the size of the database file (RLIMIT_FSIZE), as a quota does. It needs no privileges. */
export function limitFileSize(folder: string): SmallDisk {
  const dataDir = join(folder, 'data')
  return {
    name: 'a limit on file sizes',
    dataDir,
    // The signal that accompanies the error ends a process that does not ignore it.
    launcher: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'],
    async fill(pid) {
      const { size } = await stat(join(dataDir, 'parley.sqlite'))
      const { exitCode, stderr } = Bun.spawnSync(['prlimit', '--pid', String(pid), `--fsize=${size}:`])
      if (exitCode !== 0) throw new Error(`prlimit: ${stderr}`)
    },
    // The limit ends with its process.
    free: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
