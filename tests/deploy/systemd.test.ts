import { expect, test } from 'bun:test'
import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { readConfig } from '../../src/config.ts'
import { maxRequestMs } from '../../src/server.ts'
import { buildBinary } from '../fixtures/binary.ts'
import { temporaryFolder } from '../unit/support/service.ts'
import { hasProgram } from './support/programs.ts'
import { deployFile, deployFolder } from './support/proxies.ts'

const unit = join(deployFolder, 'parley.service')
const directive = async (name: string) =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(await deployFile('parley.service'))?.[1]

/** The largest accepted exposure, of 100. */
const maxExposure = 20

test.skipIf(!hasProgram('systemd-analyze'))('systemd rates the unit as well protected', async () => {
  const child = Bun.spawn(
    ['systemd-analyze', 'security', '--offline=true', `--threshold=${maxExposure}`, '--no-pager', unit],
    { stdout: 'pipe', stderr: 'pipe' },
  )
  const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text())
  expect(output).toContain('Overall exposure level for parley.service')
  expect({ exitCode: await child.exited, output }).toMatchObject({ exitCode: 0 })
})

test('the unit stops the service after the time that the service needs at most', async () => {
  const { drainSeconds } = readConfig({}, [])
  expect(Number(await directive('TimeoutStopSec'))).toBe(drainSeconds + maxRequestMs / 1000)
})

test('the unit allows a file descriptor for each WebSocket', async () => {
  expect(Number(await directive('LimitNOFILE'))).toBeGreaterThan(readConfig({}, []).maxSockets)
})

/** What the machine does after it has booted: it writes its findings to `/result` and powers off. */
const check = `exec >/result 2>/result.errors
until /usr/local/bin/parley healthcheck; do sleep 0.05; done
first=$(systemctl show -P MainPID parley)
grep -E '^(Uid|NoNewPrivs|Seccomp|CapEff):' /proc/$first/status
kill -KILL "$first"
until [ "$(systemctl show -P MainPID parley)" -gt 0 ] && [ "$(systemctl show -P MainPID parley)" != "$first" ] &&
  /usr/local/bin/parley healthcheck; do sleep 0.05; done
echo restarted
(set -a; . /etc/parley.env; export DATA_DIR=/var/lib/parley; /usr/local/bin/parley check) | grep -E 'LOG_LEVEL|can start'
systemctl stop parley
systemctl show parley -p Result,ExecMainStatus,ActiveState
stat -c '%U %a %n' /var/lib/parley /var/lib/parley/parley.sqlite
systemctl exit 0
`

/** Creates a machine that has the programs of this one, the unit, and nothing else. */
async function createMachine(root: string): Promise<void> {
  await chmod(root, 0o755)
  for (const folder of ['etc/systemd/system', 'usr/local/bin', 'var/lib', 'var/log', 'tmp', 'run', 'root'])
    await mkdir(join(root, folder), { recursive: true })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name))
    await symlink(`usr/${name}`, join(root, name))
  }
  const write = (path: string, text: string) => Bun.write(join(root, path), text)
  await write('etc/passwd', 'root:x:0:0::/root:/bin/sh\nparley:x:990:990::/:/usr/sbin/nologin\n')
  await write('etc/group', 'root:x:0:\nparley:x:990:\n')
  await write('etc/machine-id', '')
  await write('etc/os-release', 'NAME=test\n')
  await write('etc/parley.env', 'LOG_LEVEL=warn\n')
  await write('etc/systemd/system/parley.service', await deployFile('parley.service'))
  await write('check.sh', check)
  await write(
    'etc/systemd/system/check.service',
    '[Unit]\nAfter=parley.service\n[Service]\nType=oneshot\nExecStart=/bin/sh /check.sh\n',
  )
  await write('etc/systemd/system/check.target', '[Unit]\nWants=parley.service check.service\n')
  await symlink('check.target', join(root, 'etc/systemd/system/default.target'))
  await buildBinary(join(root, 'usr/local/bin/parley'))
}

/** Whether this machine may boot another one: root in a container without privileges may not. */
function canBoot(): boolean {
  if (process.getuid?.() !== 0 || !hasProgram('systemd-nspawn')) return false
  const allowed = Bun.spawnSync(['unshare', '--mount', '--pid', '--fork', 'true']).success
  if (!allowed) console.error('SKIPPED: the boot with the unit of systemd, which needs privileges.')
  return allowed
}

test.skipIf(!canBoot())(
  'systemd starts the unit without privileges, restarts it after a crash, and stops it cleanly',
  async () => {
    await using folder = await temporaryFolder()
    const root = join(folder.path, 'machine')
    await mkdir(root)
    await createMachine(root)
    const machine = Bun.spawn(
      [
        ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--private-network', '--boot'],
        ...['bin', 'sbin', 'lib', 'lib64'].map((name) => `--bind-ro=/usr/${name}`),
        ...['--console=pipe', `--directory=${root}`],
      ],
      { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', timeout: 45_000, killSignal: 'SIGKILL' },
    )
    const output = await new Response(machine.stdout).text()
    await machine.exited
    const result = await Bun.file(join(root, 'result')).text()
    expect(result + output).toContain('restarted')
    expect(result.split('\n').map((line) => line.replace(/\s+/g, ' '))).toEqual([
      'Uid: 990 990 990 990',
      'CapEff: 0000000000000000',
      'NoNewPrivs: 1',
      'Seccomp: 2',
      'restarted',
      'LOG_LEVEL warn environment',
      'The service can start.',
      'Result=success',
      'ExecMainStatus=0',
      'ActiveState=inactive',
      'parley 700 /var/lib/parley',
      'parley 600 /var/lib/parley/parley.sqlite',
      '',
    ])
    await rm(root, { recursive: true })
  },
)
