import { chmod, chown, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBinary } from '../../fixtures/binary.ts'
import { endWithParent } from '../../unit/support/end-with-parent.ts'
import { temporaryFolder } from '../../unit/support/service.ts'

type Environment = Readonly<Record<string, string>>

const dockerfile = await Bun.file(join(import.meta.dir, '../../../Dockerfile')).text()
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))

/** The rest of the line of an instruction in the last stage of the Dockerfile. */
function instruction(name: string): string {
  const rest = new RegExp(`^${name} (.*)$`, 'm').exec(lastStage)?.[1]
  if (rest === undefined) throw new Error(`The last stage of the Dockerfile has no ${name}`)
  return rest
}

const user = instruction('USER')
const entrypoint = JSON.parse(instruction('ENTRYPOINT')) as string[]
const healthcheck = JSON.parse(/CMD (\[.*\])$/.exec(instruction('HEALTHCHECK'))?.[1] ?? '[]') as string[]
export const imageEnvironment: Environment = Object.fromEntries(
  instruction('ENV')
    .split(' ')
    .map((each) => each.split('=')),
)

/** The command of the build stage that collects the files of the image. */
const collect = /^RUN (mkdir -p image(?:.*\\\n)*.*)$/m.exec(dockerfile)?.[1] as string

/** Whether this machine may run a program in another root with other mounts, as a container does. */
export function canRunImages(): boolean {
  const allowed =
    process.getuid?.() === 0 && Bun.spawnSync(['unshare', '--mount', 'true'], { stderr: 'ignore' }).success
  if (!allowed) console.error('SKIPPED: the tests that run the image, which need privileges.')
  return allowed
}

/**
 * Runs a command as a container does: the files of the image are the root and cannot be changed, and the volume is at
 * `/data`. The arguments are the root, the volume, and the command.
 */
const enter = `set -e
mount --bind "$1" "$1"
mount --bind "$2" "$1/data"
mount --rbind /proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -o remount,bind,ro "$1"
root=$1 chroot=$(command -v chroot)
shift 2
exec env -i "$@"`

/** Creates the files of the image as the Dockerfile does, from the program of this source. */
export async function createImage() {
  const folder = await temporaryFolder()
  const [app, root] = [join(folder.path, 'app'), join(folder.path, 'app/image')]
  await chmod(folder.path, 0o755)
  await mkdir(app)
  await buildBinary(join(app, 'dist/parley'))
  const collected = Bun.spawnSync(['sh', '-c', collect], { cwd: app, stderr: 'inherit' })
  if (!collected.success) throw new Error('The files of the image could not be collected')
  // The data folder is copied for the user of the image. A container also has the folders of the kernel.
  for (const name of ['data', 'proc', 'dev']) await mkdir(join(root, name))
  await rm(join(app, 'dist'), { recursive: true })

  const commandIn = (volume: string, environment: Environment, command: readonly string[]) => {
    const variables = Object.entries({ ...imageEnvironment, ...environment }).map((each) => each.join('='))
    const chroot = [
      Bun.which('chroot', { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }) as string,
      `--userspec=${user}`,
    ]
    return [
      ...[
        'unshare',
        '--mount',
        '--propagation=private',
        'setpriv',
        '--no-new-privs',
        'sh',
        '-c',
        enter,
        'sh',
      ],
      ...[root, volume, ...variables, ...chroot, root, ...command],
    ]
  }

  return {
    /** Creates an empty volume, which belongs to the user of the image. */
    async createVolume(): Promise<string> {
      const volume = join(folder.path, `volume-${crypto.randomUUID()}`)
      await mkdir(volume)
      const [uid = 0, gid = 0] = user.split(':').map(Number)
      await chown(volume, uid, gid)
      return volume
    },
    /** Runs the health check of the image, as in a running container. Returns whether it is healthy. */
    async isHealthy(volume: string, environment: Environment): Promise<boolean> {
      const { exitCode } = await startContainer(commandIn(volume, environment, healthcheck)).end()
      return exitCode === 0
    },
    /** Runs a command of the program until it ends. */
    run: (volume: string, environment: Environment, arguments_: readonly string[]) =>
      startContainer(commandIn(volume, environment, [...entrypoint, ...arguments_])).end(),
    /** Starts the service of the image. */
    start: (volume: string, environment: Environment) =>
      startContainer(commandIn(volume, environment, entrypoint)),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

export type Image = Awaited<ReturnType<typeof createImage>>

function startContainer(command: string[]) {
  const child = endWithParent(Bun.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] }))
  const texts = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])

  /** Waits until the service ends. */
  async function end() {
    const [exitCode, [log, errors]] = await Promise.all([child.exited, texts])
    return { exitCode, log, errors }
  }
  return {
    pid: child.pid,
    end,
    /** Stops the service as container engines do: SIGTERM, and SIGKILL after the grace period. */
    async stop(graceSeconds: number) {
      const timer = setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1000)
      child.kill('SIGTERM')
      const ended = await end()
      clearTimeout(timer)
      return ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
